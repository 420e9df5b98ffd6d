#pragma once

#include <squall/ioloop/base/refuse_coroutine.h>
#include <squall/options/value_type.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace squall::options {

struct OptionRecord;

// Where the value of an option came from, weakest first. A weaker source does not replace a value of a
// stronger one, whichever is read first.
enum class Source : std::uint8_t { program, config_file, environment, command_line };

namespace detail {

struct ValueCallback {
  virtual ~ValueCallback() = default;
  virtual void call(const void* value) = 0;
};

template <class T, class Function>
struct ValueCallbackOf final : ValueCallback {
  explicit ValueCallbackOf(Function function) : function(std::move(function)) {}
  void call(const void* value) override { function(*static_cast<const T*>(value)); }
  Function function;
};

// The part of Option that does not depend on the type.
class OptionHandle {
 public:
  // With dashes, as the help shows it: `log-file-prefix`.
  const std::string& name() const noexcept;
  // Source::program for a default, and for a value that the program has set.
  Source source() const noexcept;

 protected:
  explicit OptionHandle(OptionRecord& record) noexcept : record_(&record) {}

  void* value() const noexcept;
  void store(const void* value) const;
  void restore(const void* value, Source source) const;
  void set_group(std::string group) const;
  void set_metavar(std::string metavar) const;
  void set_short_name(char name) const noexcept;
  void set_required() const noexcept;
  void hide_default_text() const noexcept;
  void set_needed(const OptionHandle& other) const noexcept;
  void set_words(std::size_t least, std::size_t most) const noexcept;
  Limits& limits() const noexcept;
  void set_callback(std::unique_ptr<ValueCallback> callback) const;

 private:
  OptionRecord* record_;
};

}  // namespace detail

// One option or positional argument of an OptionParser, and its value.
//
//     const Option<std::uint16_t> port = define("port", std::uint16_t{8888}, "port to serve on");
//     server.listen(*port);
//
// The functions that return an Option describe it, and can be chained: they are called before the command
// line is parsed.
//
// Thread:    any, as long as no thread sets the value.
// Lifetime:  a handle; valid as long as its parser.
template <OptionValue T>
class Option : public detail::OptionHandle {
 public:
  using Element = ElementOf<T>;

  // For OptionParser.
  explicit Option(OptionRecord& record) noexcept : detail::OptionHandle(record) {}

  const T& operator*() const noexcept { return *static_cast<const T*>(value()); }
  const T* operator->() const noexcept { return static_cast<const T*>(value()); }

  // Replaces the value, which then counts as the program's: each source that is read later replaces it. Calls
  // the callback. Throws Error if the value is not within the limits.
  void set(const T& value) const { store(&value); }
  // set(), for OptionOverride: the value keeps `source`.
  void restore(const T& value, Source source) const { detail::OptionHandle::restore(&value, source); }

  // The heading in the help. Options without a group come first, without a heading.
  Option group(std::string name) const {
    set_group(std::move(name));
    return *this;
  }
  // What the help shows as the value: `--port=PORT`.
  Option metavar(std::string text) const {
    set_metavar(std::move(text));
    return *this;
  }
  // A letter for the command line: 'o' for `-o FILE`.
  Option short_name(char letter) const {
    set_short_name(letter);
    return *this;
  }
  // Parsing fails if no source sets the value.
  Option required() const {
    set_required();
    return *this;
  }
  // The help does not show the default.
  Option hide_default() const {
    hide_default_text();
    return *this;
  }
  // Parsing fails if a source sets this option, but no source sets `other`, of the same parser.
  Option needs(const detail::OptionHandle& other) const {
    set_needed(other);
    return *this;
  }
  // Limits of each element. Both bounds are allowed values.
  Option in_range(Element least, Element most) const
      requires(std::is_arithmetic_v<Element> || std::same_as<Element, TimeSpan>)
  {
    limits().least = detail::to_number(least);
    limits().most = detail::to_number(most);
    return *this;
  }
  Option positive() const requires(std::is_arithmetic_v<Element> || std::same_as<Element, TimeSpan>)
  {
    limits().above = 0;
    return *this;
  }
  Option non_negative() const requires(std::is_arithmetic_v<Element> || std::same_as<Element, TimeSpan>)
  {
    limits().least = 0;
    return *this;
  }
  Option one_of(std::vector<std::string> choices) const requires std::same_as<Element, std::string>
  {
    limits().choices = std::move(choices);
    return *this;
  }
  // On the command line the option is followed by `least` to `most` words, which are not split at commas:
  // `--tls cert.pem key.pem`.
  Option words(std::size_t least, std::size_t most) const requires std::same_as<T, std::vector<Element>>
  {
    set_words(least, most);
    return *this;
  }
  // Calls `function(value)` each time the value is set, also by the program (OPT-11). It may throw Error, or
  // std::invalid_argument, which becomes an Error that names the option and its source.
  template <class Function>
  Option callback(Function function) const {
    squall::detail::refuse_coroutine<Function&, const T&>();
    set_callback(std::make_unique<detail::ValueCallbackOf<T, Function>>(std::move(function)));
    return *this;
  }
};

}  // namespace squall::options
