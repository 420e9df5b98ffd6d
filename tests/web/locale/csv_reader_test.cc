#include <squall/web/locale/csv_reader.h>

#include <fmt/format.h>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.h"
#include "support/growth.h"

namespace squall::web::csv_reader_test {
namespace {

using detail::CsvReader;

// The rows: cells between bars, a line each.
std::string rows(std::string_view text) {
  CsvReader reader(text);
  std::string all;
  for (std::vector<std::string> row; reader.next(row);) all += fmt::format("|{}|\n", fmt::join(row, "|"));
  return all;
}

TEST_CASE("cells are separated by commas, and rows by line ends of any kind", "[csv_reader]") {
  CHECK(rows("a,b\nc,d\r\ne\rf") == "|a|b|\n|c|d|\n|e|\n|f|\n");
  CHECK(rows("a,,b,\n,\n") == "|a||b||\n|||\n");
  CHECK(rows("") == "");
  CHECK(rows(" a , b ") == "| a | b |\n");
}

TEST_CASE("an empty line is a row without cells", "[csv_reader]") {
  CsvReader reader("\n\"\"\n");
  std::vector<std::string> row = {"old"};
  CHECK(reader.next(row));
  CHECK(row.empty());
  CHECK(reader.next(row));
  CHECK(row == std::vector<std::string>{""});
  CHECK_FALSE(reader.next(row));
}

TEST_CASE("a cell in quotes has commas, line ends and doubled quotes", "[csv_reader]") {
  CHECK(rows(R"("a,b","c ""d""")") == "|a,b|c \"d\"|\n");
  CHECK(rows("\"a\r\nb\",c\n") == "|a\r\nb|c|\n");
  CHECK(rows(R"("",x)") == "||x|\n");
}

TEST_CASE("a quote within a cell is text, and so is text behind a quoted cell", "[csv_reader]") {
  CHECK(rows(R"(5" pipe,x)") == "|5\" pipe|x|\n");
  CHECK(rows(R"("a"b"c",x)") == "|ab\"c\"|x|\n");
  CHECK(rows(R"( "a",x)") == "| \"a\"|x|\n");
}

TEST_CASE("the line of a row counts the lines within cells before it", "[csv_reader]") {
  CsvReader reader("a\n\"b\nb\",c\n\nd");
  std::vector<std::string> row;
  std::vector<std::size_t> lines;
  while (reader.next(row)) lines.push_back(reader.line());
  CHECK(lines == std::vector<std::size_t>{1, 2, 4, 5});
}

TEST_CASE("a quote that is not closed takes the rest of the text, and is reported", "[csv_reader]") {
  CsvReader reader("a,b\nc,\"d\ne,f\n");
  std::vector<std::string> row;
  CHECK(reader.next(row));
  CHECK_FALSE(reader.is_unclosed());
  CHECK(reader.next(row));
  CHECK(reader.is_unclosed());
  CHECK(reader.line() == 2);
  CHECK(row == std::vector<std::string>{"c", "d\ne,f\n"});
  CHECK_FALSE(reader.next(row));
}

TEST_CASE("of a row of commas a bounded number of cells is kept, and the next row is read", "[csv_reader]") {
  const std::string text = std::string(100'000, ',') + "\na,b\n";
  CsvReader reader(text);
  std::vector<std::string> row;
  CHECK(reader.next(row));
  CHECK(row.size() == CsvReader::kMostCells);
  CHECK(reader.is_too_wide());
  CHECK(reader.next(row));
  CHECK(row == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(reader.is_too_wide());
  CHECK(reader.line() == 2);
}

TEST_CASE("reading takes linear time, also of doubled quotes", "[csv_reader]") {
  constexpr std::size_t kSmall = 20'000;
  for (const std::string_view piece : {"\"\"", "a,\n", "\"a\"\"b\"\n"}) {
    std::map<std::size_t, std::string> texts;
    for (const std::size_t size : {kSmall, kSmall * testing::kLargeToSmall}) {
      std::string& text = texts[size];
      while (text.size() < size) text += piece;
    }
    const auto read = [&](std::size_t size) {
      CsvReader reader(texts.at(size));
      for (std::vector<std::string> row; reader.next(row);) continue;
    };
    INFO(piece);
    CHECK(testing::growth(kSmall, read) < testing::kMostLinearGrowth);
  }
}

}  // namespace
}  // namespace squall::web::csv_reader_test
