#pragma once

#include <squall/web/template/expression.h>
#include <squall/web/template/source_text.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace squall::web::detail {

struct TemplateNode;
using TemplateBody = std::vector<TemplateNode>;

// A part of `if` or `try`.
struct TemplateBranch {
  std::size_t offset = 0;
  ExpressionPtr condition;          // of if and elif
  std::vector<std::string> faults;  // of except: the errors it catches; none for all
  std::string alias;                // of `except ... as alias`
  TemplateBody body;
};

// A piece of a template.
struct TemplateNode {
  enum class Kind : std::uint8_t {
    text,         // text
    output,       // expression, is_raw
    set,          // target, expression
    conditional,  // branches, last
    for_loop,     // target, expression, body, last
    while_loop,   // expression, body, last
    break_loop,
    continue_loop,
    attempt,  // body, branches (the excepts), last (the else), finally
    apply,    // expression, body
    block,    // text (its name), body
    include,  // text (the file)
    import,   // text (the library), imports
  };
  struct Import {
    std::string name;   // in the library; empty for the library itself
    std::string alias;  // the variable
  };

  Kind kind;
  std::size_t offset = 0;
  bool is_raw = false;
  std::string text{};
  ExpressionPtr expression{};
  Target target{};
  std::vector<TemplateBranch> branches{};
  TemplateBody body{};
  std::optional<TemplateBody> last{};  // `else`
  std::optional<TemplateBody> finally{};
  std::vector<Import> imports{};
};

// A file of templates, parsed.
struct TemplateFile {
  SourceText source;
  TemplateBody body{};
  std::optional<std::string> autoescape{};  // the function; nullopt: none
  std::optional<std::string> extends{};
  std::size_t extends_offset = 0;
};
using TemplateFilePtr = std::shared_ptr<const TemplateFile>;

}  // namespace squall::web::detail
