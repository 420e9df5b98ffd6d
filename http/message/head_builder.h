#pragma once

#include <squall/http/message/headers.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace squall::http {

// Fills Headers from a received head, for the parsers. The text of the headers becomes the whole head,
// start line included, and each field is two ranges of that text. Headers::received() is then true: the
// text must not be sent unchanged.
//
// Lifetime:  borrows the headers.
class HeadBuilder {
 public:
  explicit HeadBuilder(Headers& headers) noexcept : headers_(headers) {}

  // No text and no fields. Keeps the memory.
  void begin() noexcept {
    headers_.clear();
    headers_.received_ = true;
  }
  void append_text(std::string_view bytes) { headers_.text_.append(bytes); }
  std::string_view text() const noexcept { return headers_.text_; }
  // Replaces the two bytes of the line end at `offset` by blanks: the value continues on the next line.
  void join_lines(std::size_t offset) noexcept { headers_.text_[offset] = headers_.text_[offset + 1] = ' '; }
  // Memory for so many fields.
  void reserve(std::size_t fields) { headers_.lines_.reserve(fields); }
  std::size_t field_count() const noexcept { return headers_.lines_.size(); }
  // A piece of a field's name, `size` bytes from `begin` in the text, which may not be appended yet. False,
  // and nothing is added, if the piece begins another field than the last one and there are `max` fields.
  bool add_name(std::uint32_t begin, std::uint32_t size, std::size_t max) {
    std::vector<Headers::Line>& lines = headers_.lines_;
    // A name that begins at the end of the last piece is its continuation from another read. A new name has
    // a line end before it.
    if (!lines.empty() && lines.back().value == 0 && begin == lines.back().name + lines.back().name_size) {
      lines.back().name_size += size;
      return true;
    }
    if (lines.size() >= max) return false;
    lines.push_back({begin, size, 0, 0, HeaderId::other});
    return true;
  }
  // A piece of the last field's value.
  void add_value(std::uint32_t begin, std::uint32_t size) noexcept {
    Headers::Line& line = headers_.lines_.back();
    if (line.value == 0) line.value = begin;
    line.value_size = begin + size - line.value;
  }
  // The name of a field, as a part of the text.
  struct Range {
    std::uint32_t begin;
    std::uint32_t size;
    std::uint32_t end() const noexcept { return begin + size; }
  };
  Range name(std::size_t field) const noexcept {
    const Headers::Line& line = headers_.lines_[field];
    return {line.name, line.name_size};
  }
  void set_value(std::size_t field, Range value) noexcept {
    headers_.lines_[field].value = value.begin;
    headers_.lines_[field].value_size = value.size;
  }
  // The head is complete: cuts blanks off the ends of the values, and indexes the fields by their HeaderId.
  void end() noexcept;

 private:
  Headers& headers_;
};

}  // namespace squall::http
