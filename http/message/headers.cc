#include <squall/http/message/headers.h>

#include <squall/http/message/head_builder.h>
#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace squall::http {
namespace {

// A name with an id is a token.
void check(HeaderId id, std::string_view name, std::string_view value) {
  if (id == HeaderId::other && !is_token(name))
    throw std::invalid_argument(fmt::format("Invalid header name '{}'", name));
  if (!is_field_text(value)) throw std::invalid_argument(fmt::format("Unsafe header value for '{}'", name));
}

}  // namespace

HeaderId header_id(std::string_view name) noexcept {
  // The length leaves at most two candidates.
  switch (name.size()) {
    case 4:
      if (token_equals(name, "host")) return HeaderId::host;
      if (token_equals(name, "date")) return HeaderId::date;
      if (token_equals(name, "etag")) return HeaderId::etag;
      break;
    case 6:
      if (token_equals(name, "cookie")) return HeaderId::cookie;
      if (token_equals(name, "expect")) return HeaderId::expect;
      if (token_equals(name, "server")) return HeaderId::server;
      break;
    case 10:
      if (token_equals(name, "connection")) return HeaderId::connection;
      break;
    case 12:
      if (token_equals(name, "content-type")) return HeaderId::content_type;
      break;
    case 14:
      if (token_equals(name, "content-length")) return HeaderId::content_length;
      break;
    case 17:
      if (token_equals(name, "transfer-encoding")) return HeaderId::transfer_encoding;
      break;
  }
  return HeaderId::other;
}

bool Headers::is_named(const Line& line, HeaderId id, std::string_view name) const noexcept {
  if (line.id != id) return false;
  return id != HeaderId::other || equals_ignoring_case(name_of(line), name);
}

// The index of the first line of that name; size() without one.
inline std::size_t Headers::index_of(HeaderId id, std::string_view name) const noexcept {
  if (id != HeaderId::other) {
    const std::uint32_t slot = slots_[static_cast<std::size_t>(id)];
    return slot == 0 ? lines_.size() : slot - 1;
  }
  std::size_t index = 0;
  while (index < lines_.size() && !is_named(lines_[index], id, name)) ++index;
  return index;
}

[[gnu::hot]] std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
  if (const HeaderId id = header_id(name); id != HeaderId::other) return find(id);
  for (const Line& line : lines_)
    if (equals_ignoring_case(name_of(line), name)) return value_of(line);
  return std::nullopt;
}

std::size_t Headers::count(HeaderId id) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(lines_.begin(), lines_.end(), [id](const Line& line) { return line.id == id; }));
}

void Headers::fill_slots() noexcept {
  slots_ = {};
  for (std::size_t i = lines_.size(); i-- > 0;) slots_[static_cast<std::size_t>(lines_[i].id)] = slot_for(i);
}

std::string Headers::get(std::string_view name) const {
  std::string joined;
  for (const std::string_view value : get_list(name)) {
    if (!joined.empty()) joined += ", ";
    joined += value;
  }
  return joined;
}

std::vector<std::string_view> Headers::get_list(std::string_view name) const {
  std::vector<std::string_view> values;
  const HeaderId id = header_id(name);
  for (const Line& line : lines_)
    if (is_named(line, id, name)) values.push_back(value_of(line));
  return values;
}

void Headers::add(std::string_view name, std::string_view value) {
  const HeaderId id = header_id(name);
  check(id, name, value);
  append(id, name, value);
}

void Headers::append(HeaderId id, std::string_view name, std::string_view value) {
  const auto begin = static_cast<std::uint32_t>(text_.size());
  const auto name_size = static_cast<std::uint32_t>(name.size());
  // Reserves first: if memory is exhausted, no line without text is added.
  text_.reserve(text_.size() + name.size() + value.size() + 4);
  lines_.push_back({begin, name_size, begin + name_size + 2, static_cast<std::uint32_t>(value.size()), id});
  std::uint32_t& slot = slots_[static_cast<std::size_t>(id)];
  if (slot == 0) slot = slot_for(lines_.size() - 1);
  text_.append(name).append(": ").append(value).append("\r\n");
}

[[gnu::hot]] void Headers::set(std::string_view name, std::string_view value) {
  const HeaderId id = header_id(name);
  check(id, name, value);
  const std::size_t first = index_of(id, name);
  if (first == lines_.size()) return append(id, name, value);
  if (first + 1 < lines_.size()) erase_named(first + 1, id, name);
  Line& line = lines_[first];
  text_.replace(line.value, line.value_size, value);
  // May be negative: the sums below are modulo 2^32.
  const auto growth = static_cast<std::uint32_t>(value.size()) - line.value_size;
  line.value_size += growth;
  for (std::size_t i = first + 1; i < lines_.size(); ++i) {
    lines_[i].name += growth;
    lines_[i].value += growth;
  }
}

bool Headers::remove(std::string_view name) {
  const std::size_t before = lines_.size();
  erase_named(0, header_id(name), name);
  return lines_.size() != before;
}

void Headers::rename(std::string_view name, std::string_view other) {
  const HeaderId id = header_id(name);
  const std::size_t found = index_of(id, name);
  if (found == lines_.size()) return;
  const std::string value(value_of(lines_[found]));
  add(other, value);
  lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(found));
  fill_slots();
}

// Moves each remaining line to its new place in one pass, so that removing 100,000 fields of one name takes
// linear time (SEC-15).
void Headers::erase_named(std::size_t from, HeaderId id, std::string_view name) {
  std::uint32_t gone = 0;  // bytes of lines that are left out
  std::uint32_t copied = 0;
  std::size_t kept = from;
  const auto copy_up_to = [&](std::uint32_t end) {
    if (gone != 0) std::memmove(text_.data() + copied - gone, text_.data() + copied, end - copied);
    copied = end;
  };
  for (std::size_t i = from; i < lines_.size(); ++i) {
    Line line = lines_[i];
    // The text of this line has not moved yet.
    if (is_named(line, id, name)) {
      copy_up_to(line.name);
      copied = std::max(line.end(), line.name + line.name_size);
      gone += copied - line.name;
    } else {
      line.name -= gone;
      line.value -= gone;
      lines_[kept++] = line;
    }
  }
  if (gone == 0) return;
  copy_up_to(static_cast<std::uint32_t>(text_.size()));
  text_.erase(text_.size() - gone);
  lines_.resize(kept);
  fill_slots();
}

void Headers::keep_fields_only() {
  if (!received_) return;
  Headers fields;
  fields.text_.reserve(text_.size());
  fields.lines_.reserve(lines_.size());
  for (const Line& line : lines_) fields.append(line.id, name_of(line), value_of(line));
  *this = std::move(fields);
}

void HeadBuilder::end() noexcept {
  for (Headers::Line& line : headers_.lines_) {
    line.id = header_id(headers_.name_of(line));
    // llhttp has skipped the blanks before the value, and counts those behind it.
    line.value_size = static_cast<std::uint32_t>(trim(headers_.value_of(line)).size());
  }
  headers_.fill_slots();
}

bool Headers::extend_last(std::string_view more) {
  if (lines_.empty()) return false;
  Line& line = lines_.back();
  check(line.id, name_of(line), more);
  text_.resize(line.value + line.value_size);
  text_.append(" ").append(more).append("\r\n");
  line.value_size += static_cast<std::uint32_t>(more.size()) + 1;
  return true;
}

bool Headers::operator==(const Headers& other) const noexcept {
  if (size() != other.size()) return false;
  for (std::size_t i = 0; i < size(); ++i) {
    const auto [name, value] = (*this)[i];
    const auto [other_name, other_value] = other[i];
    if (value != other_value || !equals_ignoring_case(name, other_name)) return false;
  }
  return true;
}

}  // namespace squall::http
