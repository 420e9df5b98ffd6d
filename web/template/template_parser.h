#pragma once

#include <squall/web/template/tag_lexer.h>
#include <squall/web/template/template_tree.h>
#include <squall/web/template/template_whitespace.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web::detail {

struct ParseOptions {
  std::optional<std::string> autoescape = "xhtml_escape";
  std::optional<TemplateWhitespace> whitespace{};  // nullopt: whitespace_of_file()
};

// Parses a file of templates: its tags (TPL-01 to TPL-18), and their expressions.
//
// Errors:    TemplateParseError
class TemplateParser {
 public:
  static TemplateFilePtr parse(std::string name, std::string text, const ParseOptions& options);

 private:
  // The tag in whose body the parser is. `loop` is for and while; `apply` ends them for break and continue.
  struct Enclosing {
    std::string_view block{};
    std::size_t offset = 0;
    bool is_in_loop = false;
    std::size_t depth = 0;
  };
  struct Directive {
    std::string_view name;
    std::string_view rest;
    std::size_t offset;
  };

  TemplateParser(TemplateFile& file, const ParseOptions& options);

  // Parses until the `end`, `else` and so on of the enclosing tag, which becomes stopped_at_.
  TemplateBody body(const Enclosing& enclosing);
  void directive(TemplateBody& to, const Directive& tag, const Enclosing& enclosing);
  bool file_directive(const Directive& tag);
  bool simple_directive(TemplateBody& to, const Directive& tag);
  bool nested_directive(TemplateBody& to, const Directive& tag, const Enclosing& enclosing);
  bool stops(const Directive& tag, const Enclosing& enclosing) const;
  void import(TemplateBody& to, const Directive& tag) const;
  void module(TemplateBody& to, const Directive& tag) const;
  void conditional(TemplateNode& node, const Directive& tag, const Enclosing& inner);
  void loop(TemplateNode& node, const Directive& tag, const Enclosing& inner);
  void attempt(TemplateNode& node, const Enclosing& inner);
  TemplateBranch except(const Directive& tag) const;
  void expect_end(std::string_view block) const;

  ExpressionPtr expression(const Directive& tag, const char* missing) const;
  std::string_view operand(const Directive& tag, const char* missing) const;

  TemplateFile& file_;
  TagLexer lexer_;
  TemplateWhitespace whitespace_;
  Directive stopped_at_{};
};

}  // namespace squall::web::detail
