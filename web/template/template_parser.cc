#include <squall/web/template/template_parser.h>

#include <squall/web/template/expression_parser.h>
#include <squall/web/template/template_limits.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace squall::web::detail {
namespace {

constexpr std::string_view kDirectiveSpaces = " \t\n\r\f\v";

std::string_view trim_spaces(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(kDirectiveSpaces);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kDirectiveSpaces) - first + 1);
}

// Without quotes, of which there may be none (TPL-21).
std::string_view file_operand(std::string_view text) noexcept {
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front())
    text = text.substr(1, text.size() - 2);
  return text;
}

bool is_any_of(std::string_view name, std::initializer_list<std::string_view> names) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The tags that may stand between the beginning and the end of another tag, and which.
struct Intermediate {
  std::string_view name;
  std::string_view parents;  // as the error names them
  std::initializer_list<std::string_view> blocks;
};
const std::array<Intermediate, 4> kIntermediates = {{
    {"else", "{for, if, try, while}", {"for", "if", "try", "while"}},
    {"elif", "{if}", {"if"}},
    {"except", "{try}", {"try"}},
    {"finally", "{try}", {"try"}},
}};

bool is_variable_name(std::string_view name) noexcept {
  return !name.empty() && (name.front() < '0' || name.front() > '9') && !name.starts_with("_tt_") &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                  static_cast<unsigned char>(c) >= 0x80;
         });
}

}  // namespace

TemplateFilePtr TemplateParser::parse(std::string name, std::string text, const ParseOptions& options) {
  auto file = std::make_shared<TemplateFile>();
  file->source = {std::move(name), std::move(text)};
  file->autoescape = options.autoescape;
  TemplateParser parser(*file, options);
  file->body = parser.body({});
  return file;
}

TemplateParser::TemplateParser(TemplateFile& file, const ParseOptions& options)
    : file_(file),
      lexer_(file.source),
      whitespace_(options.whitespace ? *options.whitespace : whitespace_of_file(file.source.name)) {}

TemplateBody TemplateParser::body(const Enclosing& enclosing) {
  if (enclosing.depth > kMostBlockDepth) file_.source.fail(enclosing.offset, "blocks are nested too deeply");
  TemplateBody nodes;
  for (;;) {
    const Tag tag = lexer_.next();
    switch (tag.kind) {
      case Tag::Kind::text:
        nodes.push_back({.kind = TemplateNode::Kind::text,
                         .offset = tag.offset,
                         .text = filter_whitespace(whitespace_, tag.content)});
        break;
      case Tag::Kind::expression:
        nodes.push_back({.kind = TemplateNode::Kind::output, .offset = tag.offset});
        nodes.back().expression = ExpressionParser(file_.source, tag.content).whole();
        break;
      case Tag::Kind::directive: {
        const std::size_t space = std::min(tag.content.find_first_of(kDirectiveSpaces), tag.content.size());
        const std::string_view rest = tag.content.substr(space);
        const Directive found{tag.content.substr(0, space),
                              rest.substr(rest.size() - trim_spaces(rest).size()), tag.offset};
        if (stops(found, enclosing)) {
          stopped_at_ = found;
          return nodes;
        }
        directive(nodes, found, enclosing);
        break;
      }
      case Tag::Kind::end:
        if (!enclosing.block.empty())
          file_.source.fail(enclosing.offset,
                            fmt::format("Missing {{% end %}} block for {}", enclosing.block));
        return nodes;
    }
  }
}

// Whether the tag ends the body of the enclosing tag.
bool TemplateParser::stops(const Directive& tag, const Enclosing& enclosing) const {
  if (tag.name == "end") {
    if (enclosing.block.empty()) file_.source.fail(tag.offset, "Extra {% end %} block");
    return true;
  }
  for (const Intermediate& intermediate : kIntermediates) {
    if (tag.name != intermediate.name) continue;
    if (enclosing.block.empty())
      file_.source.fail(tag.offset, fmt::format("{} outside {} block", tag.name, intermediate.parents));
    if (!is_any_of(enclosing.block, intermediate.blocks))
      file_.source.fail(tag.offset,
                        fmt::format("{} block cannot be attached to {} block", tag.name, enclosing.block));
    return true;
  }
  return false;
}

void TemplateParser::directive(TemplateBody& to, const Directive& tag, const Enclosing& enclosing) {
  if (tag.name == "comment" || file_directive(tag) || simple_directive(to, tag)) return;
  if (nested_directive(to, tag, enclosing)) return;
  if (tag.name == "break" || tag.name == "continue") {
    if (!enclosing.is_in_loop)
      file_.source.fail(tag.offset, fmt::format("{} outside {{for, while}} block", tag.name));
    to.push_back(
        {.kind = tag.name == "break" ? TemplateNode::Kind::break_loop : TemplateNode::Kind::continue_loop,
         .offset = tag.offset});
    return;
  }
  file_.source.fail(tag.offset, fmt::format("unknown operator: '{}'", tag.name));
}

// Tags about the file itself.
bool TemplateParser::file_directive(const Directive& tag) {
  if (tag.name == "extends") {
    file_.extends = std::string(file_operand(operand(tag, "extends missing file path")));
    file_.extends_offset = tag.offset;
    return true;
  }
  if (tag.name == "autoescape") {
    const std::string_view function = operand(tag, "autoescape missing function");
    if (function != "None" && !is_variable_name(function))
      file_.source.fail(tag.offset, "autoescape needs the name of a function, or None");
    file_.autoescape = function == "None" ? std::nullopt : std::optional<std::string>(function);
    return true;
  }
  if (tag.name == "whitespace") {
    const auto mode = whitespace_named(tag.rest);
    if (!mode) file_.source.fail(tag.offset, fmt::format("invalid whitespace mode: '{}'", tag.rest));
    whitespace_ = *mode;
    return true;
  }
  return false;
}

// Tags without a body.
bool TemplateParser::simple_directive(TemplateBody& to, const Directive& tag) {
  TemplateNode node{.kind = TemplateNode::Kind::set, .offset = tag.offset};
  if (tag.name == "raw") {
    node.kind = TemplateNode::Kind::output;
    node.is_raw = true;
    node.expression = expression(tag, "raw missing expression");
  } else if (tag.name == "set") {
    auto assignment =
        ExpressionParser(file_.source, operand(tag, "set missing statement")).whole_assignment();
    node.target = std::move(assignment.target);
    node.expression = std::move(assignment.value);
  } else if (tag.name == "include") {
    node.kind = TemplateNode::Kind::include;
    node.text = file_operand(operand(tag, "include missing file path"));
  } else if (tag.name == "module") {
    module(to, tag);
    return true;
  } else if (tag.name == "import" || tag.name == "from") {
    import(to, tag);
    return true;
  } else {
    return false;
  }
  to.push_back(std::move(node));
  return true;
}

// `{% module Expr(args) %}` is `{% raw modules.Expr(args) %}`.
void TemplateParser::module(TemplateBody& to, const Directive& tag) const {
  TemplateNode node{.kind = TemplateNode::Kind::output, .offset = tag.offset, .is_raw = true};
  node.expression = expression(tag, "module missing expression");
  Expression* call = node.expression.get();
  if (call->kind != Expression::Kind::call || call->items[0]->kind != Expression::Kind::name)
    file_.source.fail(tag.offset, "module needs a call: {% module Name(arguments) %}");
  Expression& name = *call->items[0];
  auto modules = std::make_unique<Expression>();
  modules->kind = Expression::Kind::name;
  modules->offset = name.offset;
  modules->name = "modules";
  name.kind = Expression::Kind::attribute;
  name.items.push_back(std::move(modules));
  to.push_back(std::move(node));
}

// `import a`, `import a as b`, `from a import b, c as d` (TPL-18).
void TemplateParser::import(TemplateBody& to, const Directive& tag) const {
  std::string_view rest = operand(tag, "import missing statement");
  const auto word = [&rest] {
    rest = trim_spaces(rest);
    const std::size_t end = std::min(rest.find_first_of(" \t\n\r\f\v,"), rest.size());
    const std::string_view found = rest.substr(0, end);
    rest = trim_spaces(rest.substr(end));
    return found;
  };
  TemplateNode node{.kind = TemplateNode::Kind::import, .offset = tag.offset};
  node.text = word();
  const bool is_from = tag.name == "from";
  if (is_from && word() != "import") file_.source.fail(tag.offset, "expected `from library import name`");
  do {
    if (rest.starts_with(',')) rest.remove_prefix(1);
    const std::string_view name = is_from ? word() : std::string_view();
    std::string_view alias = is_from ? name : std::string_view(node.text);
    if (rest.starts_with("as ") || rest.starts_with("as\t")) {
      word();
      alias = word();
    }
    if (!is_variable_name(alias))
      file_.source.fail(tag.offset, fmt::format("'{}' is no name of a variable", alias));
    node.imports.push_back({std::string(name), std::string(alias)});
  } while (is_from && rest.starts_with(','));
  if (!rest.empty())
    file_.source.fail(tag.offset, fmt::format("expected the end of the import, found '{}'", rest));
  to.push_back(std::move(node));
}

// Tags with a body.
bool TemplateParser::nested_directive(TemplateBody& to, const Directive& tag, const Enclosing& enclosing) {
  if (!is_any_of(tag.name, {"apply", "block", "try", "if", "for", "while"})) return false;
  Enclosing inner{tag.name, tag.offset, enclosing.is_in_loop, enclosing.depth + 1};
  TemplateNode node{.kind = TemplateNode::Kind::conditional, .offset = tag.offset};
  if (tag.name == "if") {
    conditional(node, tag, inner);
  } else if (tag.name == "try") {
    attempt(node, inner);
  } else if (tag.name == "block") {
    node.kind = TemplateNode::Kind::block;
    node.text = operand(tag, "block missing name");
    node.body = body(inner);
  } else if (tag.name == "apply") {
    inner.is_in_loop = false;
    node.kind = TemplateNode::Kind::apply;
    node.expression = expression(tag, "apply missing method name");
    node.body = body(inner);
  } else {
    inner.is_in_loop = true;
    loop(node, tag, inner);
  }
  expect_end(tag.name);
  to.push_back(std::move(node));
  return true;
}

void TemplateParser::conditional(TemplateNode& node, const Directive& tag, const Enclosing& inner) {
  Directive part = tag;
  do {
    node.branches.emplace_back();
    node.branches.back().offset = part.offset;
    node.branches.back().condition =
        expression(part, part.name == "if" ? "if missing condition" : "elif missing condition");
    TemplateBody then = body(inner);
    node.branches.back().body = std::move(then);
    part = stopped_at_;
  } while (part.name == "elif");
  if (part.name == "else") node.last = body(inner);
}

void TemplateParser::loop(TemplateNode& node, const Directive& tag, const Enclosing& inner) {
  if (tag.name == "for") {
    node.kind = TemplateNode::Kind::for_loop;
    ComprehensionClause loop =
        ExpressionParser(file_.source, operand(tag, "for missing expression")).whole_loop();
    node.target = std::move(loop.target);
    node.expression = std::move(loop.iterable);
  } else {
    node.kind = TemplateNode::Kind::while_loop;
    node.expression = expression(tag, "while missing condition");
  }
  node.body = body(inner);
  if (stopped_at_.name == "else") node.last = body(inner);
}

void TemplateParser::attempt(TemplateNode& node, const Enclosing& inner) {
  node.kind = TemplateNode::Kind::attempt;
  node.body = body(inner);
  while (stopped_at_.name == "except") {
    TemplateBranch branch = except(stopped_at_);
    branch.body = body(inner);
    node.branches.push_back(std::move(branch));
  }
  if (stopped_at_.name == "else") {
    if (node.branches.empty()) file_.source.fail(stopped_at_.offset, "else of a try needs an except");
    node.last = body(inner);
  }
  if (stopped_at_.name == "finally") node.finally = body(inner);
  if (node.branches.empty() && !node.finally)
    file_.source.fail(node.offset, "try needs an except or a finally");
}

// `except`, `except Name`, `except (Name, Name) as variable`.
TemplateBranch TemplateParser::except(const Directive& tag) const {
  TemplateBranch branch;
  branch.offset = tag.offset;
  std::string_view rest = tag.rest;
  if (const std::size_t as = rest.rfind(" as "); as != rest.npos) {
    branch.alias = trim_spaces(rest.substr(as + 4));
    if (!is_variable_name(branch.alias))
      file_.source.fail(tag.offset, "except needs the name of a variable behind `as`");
    rest = trim_spaces(rest.substr(0, as));
  }
  if (rest.starts_with('(') && rest.ends_with(')')) rest = rest.substr(1, rest.size() - 2);
  while (!trim_spaces(rest).empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view name = trim_spaces(rest.substr(0, comma));
    if (name.empty() || !is_fault_name(name))
      file_.source.fail(tag.offset, fmt::format("'{}' is no error that except knows", name));
    branch.faults.emplace_back(name);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return branch;
}

// At a tag that stopped a body and may not follow: a second `else`, `except` behind `else`.
void TemplateParser::expect_end(std::string_view block) const {
  if (stopped_at_.name != "end")
    file_.source.fail(stopped_at_.offset,
                      fmt::format("{} cannot follow in this {} block", stopped_at_.name, block));
}

ExpressionPtr TemplateParser::expression(const Directive& tag, const char* missing) const {
  return ExpressionParser(file_.source, operand(tag, missing)).whole();
}

std::string_view TemplateParser::operand(const Directive& tag, const char* missing) const {
  if (tag.rest.empty()) file_.source.fail(tag.offset, missing);
  return tag.rest;
}

}  // namespace squall::web::detail
