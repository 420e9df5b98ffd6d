#pragma once

#include <squall/web/template/expression.h>
#include <squall/web/template/expression_lexer.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web::detail {

// The expressions of templates (TPL-20): a part of Python's, by Python's precedence.
//
//     tuple       = test *("," test) [","]
//     test        = or ["if" or "else" test]
//     or          = and *("or" and)            and  = not *("and" not)          not = "not" not / comparison
//     comparison  = sum *(("<" / "==" / "in" / "not in" / "is" / "is not" / ...) sum)
//     sum         = product *(("+" / "-") product)
//     product     = factor *(("*" / "/" / "//" / "%") factor)
//     factor      = ("-" / "+") factor / postfix ["**" factor]
//     postfix     = atom *("." name / "[" index "]" / "(" arguments ")" / "|" filter)
//     filter      = name ["(" arguments ")"]      x | f(y) is f(x, y)
//     atom        = name / number / 1*string / "(" tuple ")" / "[" items "]" / "[" comprehension "]"
//                   / "{" map "}"
//
// Errors:    TemplateParseError at the token that does not fit.
class ExpressionParser {
 public:
  // `text` is a part of source.text.
  ExpressionParser(const SourceText& source, std::string_view text);

  // All of the text as one expression.
  ExpressionPtr whole();
  // `a, (b, c) in items`, all of the text.
  ComprehensionClause whole_loop();

  // The statement of `{% set %}`: `target = tuple`, or `name += tuple` and so on, whose value is the
  // operation.
  struct Assignment {
    Target target;
    ExpressionPtr value;
  };
  Assignment whole_assignment();

 private:
  class Nesting;

  ExpressionPtr tuple();
  ExpressionPtr test();
  ExpressionPtr logical_or();
  ExpressionPtr logical_and();
  ExpressionPtr logical_not();
  ExpressionPtr comparison();
  ExpressionPtr sum();
  ExpressionPtr product();
  ExpressionPtr factor();
  ExpressionPtr postfix();
  ExpressionPtr atom();
  ExpressionPtr parenthesis();
  ExpressionPtr list();
  ExpressionPtr map();
  ExpressionPtr subscript(ExpressionPtr object);
  ExpressionPtr filter(ExpressionPtr value);
  void arguments(Expression& call);
  ExpressionPtr comprehension(ExpressionPtr element);
  ComprehensionClause clause();
  Target targets();
  Target target();
  bool comparison_operator(Operator& op);

  ExpressionPtr node(Expression::Kind kind, std::size_t offset) const;
  ExpressionPtr node(Expression::Kind kind, std::size_t offset, ExpressionPtr first,
                     ExpressionPtr second = {}) const;
  void add(Expression& to, ExpressionPtr item) const;

  bool at(std::string_view text) const noexcept {
    return token_.kind != ExpressionToken::Kind::constant && token_.text == text;
  }
  bool accept(std::string_view text);
  void expect(std::string_view text);
  std::string name(const char* what);
  void expect_end() const;
  void advance() { token_ = lexer_.next(); }
  [[noreturn]] void fail_at_token(const std::string& message) const;

  const SourceText& source_;
  std::size_t begin_;
  ExpressionLexer lexer_;
  ExpressionToken token_;
  std::size_t nesting_ = 0;
};

}  // namespace squall::web::detail
