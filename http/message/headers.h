#pragma once

#include <squall/http/message/header_id.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace squall::http {

// Header fields in their order; several may have one name. Names keep their spelling and are compared without
// case (HUT-01; not HUT-02, see design.md).
//
// All text is in one block, so that receiving and sending copy it once.
//
// Thread:    one.
// Lifetime:  views into the object are valid until its next change.
// Errors:    see add() and set().
// Source:    RFC 9110, 5.
class Headers {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  // ---- Lookup.

  std::size_t size() const noexcept { return lines_.size(); }
  bool empty() const noexcept { return lines_.empty(); }
  Field operator[](std::size_t index) const noexcept {
    return {name_of(lines_[index]), value_of(lines_[index])};
  }
  bool contains(std::string_view name) const noexcept { return find(name).has_value(); }
  // The value of the first field of that name.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  // The same in constant time.
  std::optional<std::string_view> find(HeaderId id) const noexcept {
    const std::uint32_t slot = slots_[static_cast<std::size_t>(id)];
    if (slot == 0) return std::nullopt;
    return value_of(lines_[slot - 1]);
  }
  // All values of the name, joined by `, ` (RFC 9110, 5.3); empty without a field.
  std::string get(std::string_view name) const;
  std::vector<std::string_view> get_list(std::string_view name) const;
  std::size_t count(HeaderId id) const noexcept;

  // ---- Change. Throws std::invalid_argument, and changes nothing, for a name that is not a token or a value
  // with control characters other than the tab (SEC-30, SEC-32).

  void add(std::string_view name, std::string_view value);
  // Replaces all fields of the name by one, in the place of the first.
  void set(std::string_view name, std::string_view value);
  // Removes all fields of the name; returns whether there was one. Linear time, as set().
  bool remove(std::string_view name);
  // Appends a space and `more` to the last field's value: a folded line (HUT-13). False without a field.
  bool extend_last(std::string_view more);
  void clear() noexcept {
    text_.clear();
    lines_.clear();
    slots_ = {};
    received_ = false;
  }

  // ---- Received headers.

  // True if text() is the whole head of a received message, which must not be sent. Copies are received
  // headers too.
  bool received() const noexcept { return received_; }
  // Changes the text to only the fields, in the form that is sent. Offsets into the text lose their meaning.
  void keep_fields_only();
  // Gives the first field of a name another name, and makes it the last field. The text of received headers
  // does not change.
  void rename(std::string_view name, std::string_view other);

  // Whether a field has one of these names.
  template <std::same_as<HeaderId>... Ids>
  bool contains_any(Ids... ids) const noexcept {
    return (slots_[static_cast<std::size_t>(ids)] | ...) != 0;
  }

  // The fields in the form that is sent: `Name: value\r\n` each. Of received headers, the whole head of the
  // message.
  std::string_view text() const noexcept { return text_; }

  // Same names without case, same values, same order.
  bool operator==(const Headers& other) const noexcept;

  class Iterator {
   public:
    Iterator(const Headers& headers, std::size_t index) noexcept : headers_(&headers), index_(index) {}
    Field operator*() const noexcept { return (*headers_)[index_]; }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }

   private:
    const Headers* headers_;
    std::size_t index_;
  };
  Iterator begin() const noexcept { return {*this, 0}; }
  Iterator end() const noexcept { return {*this, lines_.size()}; }

 private:
  friend class HeadBuilder;

  struct Line {
    std::uint32_t name;
    std::uint32_t name_size;
    std::uint32_t value;
    std::uint32_t value_size;
    HeaderId id;

    std::uint32_t end() const noexcept { return value + value_size + 2; }
  };

  std::string_view name_of(const Line& line) const noexcept {
    return {text_.data() + line.name, line.name_size};
  }
  std::string_view value_of(const Line& line) const noexcept {
    return {text_.data() + line.value, line.value_size};
  }
  bool is_named(const Line& line, HeaderId id, std::string_view name) const noexcept;
  std::size_t index_of(HeaderId id, std::string_view name) const noexcept;
  void append(HeaderId id, std::string_view name, std::string_view value);
  void erase_named(std::size_t from, HeaderId id, std::string_view name);
  void fill_slots() noexcept;
  static std::uint32_t slot_for(std::size_t index) noexcept { return static_cast<std::uint32_t>(index) + 1; }

  std::string text_;
  std::vector<Line> lines_;
  std::array<std::uint32_t, kHeaderIds>
      slots_{};  // by id, one more than the index of its first line; 0 for none
  bool received_ = false;
};

}  // namespace squall::http
