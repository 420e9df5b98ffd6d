#pragma once

#include <cstdint>
#include <string>

namespace squall::web::detail {

// Follows the text of a script, to know whether a value between two characters stands in code. Not a parser:
// it knows strings, comments, template literals and regular expressions.
class ScriptContext {
 public:
  void read(char c);
  // A value follows, as JSON.
  void skip_value();

  // Null where a value may stand; otherwise why not.
  const char* problem() const noexcept;

  // Becomes the state behind either of two branches. If they differ in the token before, `/` counts as
  // ambiguous; if they differ in parentheses, these are forgotten.
  // False if they end in different places.
  bool merge(const ScriptContext& other);
  void forget_last() noexcept;

  bool operator==(const ScriptContext&) const = default;

 private:
  enum class Place : std::uint8_t {
    code,
    slash,  // behind a `/` of code
    double_quoted,
    single_quoted,
    template_text,
    template_dollar,  // behind a `$` of a template literal
    regex,
    regex_class,
    line_comment,
    block_comment,
    block_comment_star,
    unknown,
  };
  // The kind of the token before: a `/` behind an operation begins a regular expression.
  enum class Last : std::uint8_t { operation, operand, ambiguous };

  void read_code(char c);
  void end_word();
  void read_symbol(char c);
  void open(char c);
  void read_parenthesis(char c);
  void read_brace(char c);
  void read_slash(char c);
  void read_quoted(char c);
  void read_regex(char c);

  Place place_ = Place::code;
  Last last_ = Last::operation;
  bool is_escaped_ = false;  // behind a backslash
  bool is_behind_cr_ = false;
  bool is_member_ = false;     // behind the `.` or the `#` before a member's name
  bool is_condition_ = false;  // behind `if`, `while`, `for`, `for await` or `with`
  char before_ = 0;            // the character before, of code
  std::string word_;           // the name or keyword before
  // Open braces and parentheses: `{`, `$` for one of a template literal, `(`, `c` for one of a condition.
  std::string open_;
};

}  // namespace squall::web::detail
