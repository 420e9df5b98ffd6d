#include <squall/web/locale/csv_reader.h>

#include <algorithm>
#include <utility>

namespace squall::web::detail {

bool CsvReader::next(std::vector<std::string>& row) {
  row.clear();
  if (rest_.empty()) return false;
  line_ = lines_read_ + 1;
  is_too_wide_ = false;
  if (!at_line_end()) {
    row.push_back(read_cell());
    while (!rest_.empty() && rest_[0] == ',') {
      rest_.remove_prefix(1);
      std::string cell = read_cell();
      if (row.size() < kMostCells) {
        row.push_back(std::move(cell));
      } else {
        is_too_wide_ = true;
      }
    }
  }
  end_line();
  return true;
}

// The cell behind the last comma of a line may be empty.
std::string CsvReader::read_cell() {
  std::string cell;
  if (!rest_.empty() && rest_[0] == '"') read_quoted(cell);
  const std::size_t size = std::min(rest_.find_first_of(",\r\n"), rest_.size());
  cell.append(rest_.substr(0, size));
  rest_.remove_prefix(size);
  return cell;
}

void CsvReader::read_quoted(std::string& cell) {
  rest_.remove_prefix(1);
  for (;;) {
    const std::size_t quote = rest_.find('"');
    const std::string_view part = rest_.substr(0, quote);
    cell.append(part);
    lines_read_ += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
    if (quote == rest_.npos) {
      rest_ = {};
      is_unclosed_ = true;
      return;
    }
    rest_.remove_prefix(quote + 1);
    if (rest_.empty() || rest_[0] != '"') return;
    cell += '"';
    rest_.remove_prefix(1);
  }
}

void CsvReader::end_line() noexcept {
  ++lines_read_;
  if (rest_.starts_with("\r\n")) {
    rest_.remove_prefix(2);
  } else if (!rest_.empty()) {
    rest_.remove_prefix(1);
  }
}

}  // namespace squall::web::detail
