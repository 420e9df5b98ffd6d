#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web::detail {

// Reads rows of comma-separated values (RFC 4180), as csv.reader of Python does: a cell in quotes may have
// commas, newlines and doubled quotes. A quote within another cell is text, and so is text behind the end of
// a quoted cell. Lines end with LF, CR or both.
//
// Lifetime:  borrows the text.
class CsvReader {
 public:
  // The most cells of a row that are kept: a file of commas would take 32 times its size.
  static constexpr std::size_t kMostCells = 1000;

  explicit CsvReader(std::string_view text) : rest_(text) {}

  // The next row; an empty line is a row without cells. False at the end.
  bool next(std::vector<std::string>& row);
  // The line in which the last row begins, from 1.
  std::size_t line() const noexcept { return line_; }
  // Whether the last row has more than kMostCells.
  bool is_too_wide() const noexcept { return is_too_wide_; }
  // Whether the last row has a quote that is not closed: its last cell goes on to the end of the text.
  bool is_unclosed() const noexcept { return is_unclosed_; }

 private:
  bool at_line_end() const noexcept { return rest_.empty() || rest_[0] == '\n' || rest_[0] == '\r'; }
  std::string read_cell();
  void read_quoted(std::string& cell);
  void end_line() noexcept;

  std::string_view rest_;
  std::size_t line_ = 0;
  std::size_t lines_read_ = 0;
  bool is_too_wide_ = false;
  bool is_unclosed_ = false;
};

}  // namespace squall::web::detail
