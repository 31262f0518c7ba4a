// Logs written from the formats of Linux 3.x to 7.x, each with the title that belongs to it.
#ifndef DUMP_CONSOLE_TESTING_WRITTEN_LOGS_H_
#define DUMP_CONSOLE_TESTING_WRITTEN_LOGS_H_

#include <string>
#include <string_view>
#include <vector>

namespace vmm {

struct WrittenLog {
  std::string title;
  std::vector<std::string> lines;
};

// The rows of testdata/reports.txt, in which that file's first lines explain the signs.
std::vector<WrittenLog> LogsOfTheFile();

// Each exception, each kind of KASAN and UBSAN report, complaints of lockdep and of refcount_t, in the words and with
// the traces of three eras: Linux 4.4, 5.4 and 6.12.
std::vector<WrittenLog> LogsOfEras();

// One line of signs as lines of a log.
std::vector<std::string> ExpandLogLine(std::string_view line);

}  // namespace vmm

#endif  // DUMP_CONSOLE_TESTING_WRITTEN_LOGS_H_
