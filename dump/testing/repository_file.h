// Reads files of this repository that are a test's data.
#ifndef DUMP_TESTING_REPOSITORY_FILE_H_
#define DUMP_TESTING_REPOSITORY_FILE_H_

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace vmm {

// The bytes of the file at `path`, relative to the repository's root. If it does not exist, the result is empty and the
// test fails.
inline std::string RepositoryFile(std::string_view path) {
  // Bazel starts a test in the directory that has its data.
  std::ifstream file{std::string(path), std::ios::binary};
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace vmm

#endif  // DUMP_TESTING_REPOSITORY_FILE_H_
