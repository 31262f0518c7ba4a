// The sandbox of a program that parses files of strangers, such as `vmcore`.
#ifndef SANDBOX_FILE_PARSER_H_
#define SANDBOX_FILE_PARSER_H_

#include <span>
#include <string>
#include <vector>

namespace vmm {

// Takes from this process what it does not need to read `inputs` and to make files in the directories
// `output_directories`: new rights, capabilities, other files, TCP, other system calls. Returns one line for each part
// that this host cannot give ("Landlock: ..."); the rest is in place. Must be called before there are other threads.
// What is given up does not come back.
std::vector<std::string> ConfineFileParser(std::span<const std::string> inputs,
                                           std::span<const std::string> output_directories);

}  // namespace vmm

#endif  // SANDBOX_FILE_PARSER_H_
