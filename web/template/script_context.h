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

  // Becomes the state behind either of two branches. If they differ in it, `/` counts as ambiguous.
  // False if they end in different places.
  bool merge(const ScriptContext& other);
  void forget_last();

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
  void read_brace(char c);
  void read_slash(char c);
  void read_quoted(char c);
  void read_regex(char c);

  Place place_ = Place::code;
  Last last_ = Last::operation;
  bool is_escaped_ = false;  // behind a backslash
  std::string word_;         // the name or keyword before
  std::string open_;         // open braces: `{`, or `$` for one of a template literal
};

}  // namespace squall::web::detail
