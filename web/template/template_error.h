#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace squall::web {

// A place in a file of templates; both numbers count from 1, columns in bytes.
struct TemplatePosition {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

// An error in a template, with its place. what() is `<message> at <file>:<line>, column <column>`, then the
// line, and a mark below the column (TPL-28).
class TemplateError : public std::runtime_error {
 public:
  // `source_line` is the line of the file.
  TemplateError(std::string message, std::string file, TemplatePosition position, std::string source_line);

  // Without the place.
  const std::string& message() const noexcept { return message_; }
  const std::string& file() const noexcept { return file_; }
  TemplatePosition position() const noexcept { return position_; }
  const std::string& source_line() const noexcept { return source_line_; }

 private:
  std::string message_;
  std::string file_;
  TemplatePosition position_;
  std::string source_line_;
};

// The text of a template is wrong: thrown when it is loaded.
class TemplateParseError : public TemplateError {
 public:
  using TemplateError::TemplateError;
};

// The errors of templates, with the names that `{% except %}` knows them by: Python's names.
enum class TemplateFault : std::uint8_t {
  name,           // NameError: no such variable
  key,            // KeyError
  index,          // IndexError
  attribute,      // AttributeError
  type,           // TypeError: an operation, or a function, does not take such a value
  value,          // ValueError
  zero_division,  // ZeroDivisionError
  overflow,       // OverflowError: beyond 64 bits
  runtime,        // RuntimeError: a function threw another exception
  limit,          // a limit of TemplateLimits: no `except` catches it
};

// An error while a template runs. If a function threw an exception, std::rethrow_if_nested() rethrows it.
class TemplateRunError : public TemplateError {
 public:
  TemplateRunError(TemplateFault fault, std::string message, std::string file, TemplatePosition position,
                   std::string source_line)
      : TemplateError(std::move(message), std::move(file), position, std::move(source_line)), fault_(fault) {}

  TemplateFault fault() const noexcept { return fault_; }

 private:
  TemplateFault fault_;
};

// An error for functions of templates to throw: it gets its place where the template calls the function.
class TemplateFailure : public std::runtime_error {
 public:
  TemplateFailure(TemplateFault fault, const std::string& message)
      : std::runtime_error(message), fault_(fault) {}

  TemplateFault fault() const noexcept { return fault_; }

 private:
  TemplateFault fault_;
};

namespace detail {

// `NameError` and so on.
std::string_view fault_name(TemplateFault fault) noexcept;
// Whether `{% except name %}` catches the fault. As in Python, LookupError, ArithmeticError and Exception are
// groups of errors. Unknown names catch nothing: see is_fault_name().
bool catches(std::string_view name, TemplateFault fault) noexcept;
bool is_fault_name(std::string_view name) noexcept;

// The line of `text` with that number, without its end.
std::string_view line_of(std::string_view text, std::uint32_t number) noexcept;
// The position of the byte `offset` of `text`.
TemplatePosition position_of(std::string_view text, std::size_t offset) noexcept;

}  // namespace detail
}  // namespace squall::web
