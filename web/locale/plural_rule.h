#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace squall::web::detail {

// Chooses the plural form of a count, by the header Plural-Forms of a gettext catalog:
//
//     nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2;
//
// The expression is C over unsigned 64-bit numbers: n, decimal numbers, parentheses, and the operators
// ?: || && == != < > <= >= + - * / % !. It is compiled to instructions of a stack machine.
//
// Thread:    any; a rule does not change.
class PluralRule {
 public:
  static constexpr std::size_t kMostText = 1000;  // bytes of an expression
  static constexpr std::size_t kMostDepth = 50;   // parentheses, `!` and `?:` within each other
  static constexpr std::size_t kMostForms = 100;

  // Form 0 for one thing, and form 1 for other counts: for catalogs without the header.
  PluralRule();
  // `header` is the value of Plural-Forms. Throws TranslationError.
  explicit PluralRule(std::string_view header);

  // nullopt if the expression divides by zero, and if its value is not below nplurals.
  std::optional<std::size_t> form_of(std::uint64_t count) const noexcept;

 private:
  class Compiler;

  enum class Operation : std::uint8_t {
    constant,
    count,        // push a value
    logical_not,  // replaces the last value
    equal,
    unequal,
    less,
    greater,
    at_most,
    at_least,
    add,
    subtract,
    multiply,
    divide,
    remainder,
    jump,
    jump_if_zero,  // the second takes the last value
  };
  struct Instruction {
    Operation operation;
    std::uint64_t operand = 0;  // the constant, or the target of a jump
  };
  // The compiler refuses expressions that need more.
  static constexpr std::size_t kMostValues = 32;

  static bool combine(Operation operation, std::uint64_t& left, std::uint64_t right) noexcept;

  std::size_t forms_ = 2;
  std::vector<Instruction> program_;
};

}  // namespace squall::web::detail
