// bench/templates/main.cc -- renders a table of ROWS rows and ten columns, over and over, and prints the
// microseconds of processor time that one rendering took.
#include <squall/web/template/template.h>

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

using namespace squall;

namespace {

constexpr const char* kTable =
    "<table>{% for row in table %}<tr>{% for column in row %}<td>{{ column }}</td>{% end %}</tr>{% end "
    "%}</table>";

double processor_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// The same table as in the script `run`: a third of the cells has characters to escape.
std::vector<std::vector<std::string>> make_table(int rows) {
  std::vector<std::vector<std::string>> table;
  for (int row = 0; row < rows; ++row) {
    std::vector<std::string> cells;
    for (int column = 0; column < 10; ++column) {
      cells.push_back((column % 3 == 0 ? "<cell & " : "cell number ") + std::to_string(row * 10 + column));
    }
    table.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

int main(int argc, char** argv) {
  const int rows = argc > 1 ? std::atoi(argv[1]) : 1000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 50;
  const bool converts = argc > 3 && std::string(argv[3]) == "converted";
  const web::Template page(kTable, "table.html");
  const auto table = make_table(rows);
  const web::TemplateArguments arguments = {{"table", table}};
  double best = 1e12;
  std::size_t size = 0;
  for (int round = 0; round < rounds; ++round) {
    const double begin = processor_microseconds();
    size = converts ? page.generate({{"table", table}}).size() : page.generate(arguments).size();
    best = std::min(best, processor_microseconds() - begin);
  }
  std::printf("%.1f %zu\n", best, size);
}
