#include <squall/web/template/expression_parser.h>

#include <squall/web/template/template_limits.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace squall::web::detail {
namespace {

constexpr std::array<std::string_view, 13> kKeywords = {
    "and", "or", "not", "in", "is", "if", "else", "for", "True", "False", "None", "lambda", "yield"};

bool is_keyword(std::string_view name) noexcept {
  return std::find(kKeywords.begin(), kKeywords.end(), name) != kKeywords.end();
}

std::size_t offset_in(const SourceText& source, std::string_view text) noexcept {
  return static_cast<std::size_t>(text.data() - source.text.data());
}

}  // namespace

// Counts how deep the parser's functions call one another.
class ExpressionParser::Nesting {
 public:
  explicit Nesting(ExpressionParser& parser) : parser_(parser) {
    if (++parser_.nesting_ > kMostExpressionDepth) {
      --parser_.nesting_;
      parser_.fail_at_token("the expression is nested too deeply");
    }
  }
  ~Nesting() { --parser_.nesting_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  ExpressionParser& parser_;
};

ExpressionParser::ExpressionParser(const SourceText& source, std::string_view text)
    : source_(source),
      begin_(offset_in(source, text)),
      lexer_(source, begin_, begin_ + text.size()),
      token_(lexer_.next()) {}

ExpressionPtr ExpressionParser::whole() {
  ExpressionPtr expression = tuple();
  expect_end();
  return expression;
}

ComprehensionClause ExpressionParser::whole_loop() {
  ComprehensionClause loop;
  loop.target = targets();
  expect("in");
  loop.iterable = tuple();
  expect_end();
  return loop;
}

ExpressionParser::Assignment ExpressionParser::whole_assignment() {
  static constexpr std::array<std::pair<std::string_view, Operator>, 7> kAugmented = {
      {{"+=", Operator::add},
       {"-=", Operator::subtract},
       {"*=", Operator::multiply},
       {"/=", Operator::divide},
       {"//=", Operator::floor_divide},
       {"%=", Operator::modulo},
       {"**=", Operator::power}}};
  Assignment assignment;
  assignment.target = targets();
  const std::size_t offset = token_.offset;
  if (accept("=")) {
    assignment.value = tuple();
    expect_end();
    return assignment;
  }
  for (const auto& [symbol, op] : kAugmented) {
    if (!at(symbol) || !assignment.target.parts.empty()) continue;
    advance();
    ExpressionPtr old = node(Expression::Kind::name, assignment.target.offset);
    old->name = assignment.target.name;
    assignment.value = node(Expression::Kind::binary, offset, std::move(old), tuple());
    assignment.value->op = op;
    expect_end();
    return assignment;
  }
  fail_at_token("set needs `name = expression`: items of lists and maps cannot be set");
}

ExpressionPtr ExpressionParser::tuple() {
  const std::size_t offset = token_.offset;
  ExpressionPtr first = test();
  if (!at(",")) return first;
  ExpressionPtr items = node(Expression::Kind::tuple, offset, std::move(first));
  while (accept(",")) {
    if (token_.kind == ExpressionToken::Kind::end || at(")") || at("=")) break;
    add(*items, test());
  }
  return items;
}

ExpressionPtr ExpressionParser::test() {
  const Nesting nesting(*this);
  const std::size_t offset = token_.offset;
  ExpressionPtr value = logical_or();
  if (!accept("if")) return value;
  ExpressionPtr condition = logical_or();
  expect("else");
  ExpressionPtr conditional =
      node(Expression::Kind::conditional, offset, std::move(condition), std::move(value));
  add(*conditional, test());
  return conditional;
}

ExpressionPtr ExpressionParser::logical_or() {
  const std::size_t offset = token_.offset;
  ExpressionPtr first = logical_and();
  if (!at("or")) return first;
  ExpressionPtr all = node(Expression::Kind::logical_or, offset, std::move(first));
  while (accept("or")) add(*all, logical_and());
  return all;
}

ExpressionPtr ExpressionParser::logical_and() {
  const std::size_t offset = token_.offset;
  ExpressionPtr first = logical_not();
  if (!at("and")) return first;
  ExpressionPtr all = node(Expression::Kind::logical_and, offset, std::move(first));
  while (accept("and")) add(*all, logical_not());
  return all;
}

ExpressionPtr ExpressionParser::logical_not() {
  if (!at("not")) return comparison();
  const Nesting nesting(*this);
  const std::size_t offset = token_.offset;
  advance();
  ExpressionPtr negation = node(Expression::Kind::unary, offset, logical_not());
  negation->op = Operator::logical_not;
  return negation;
}

bool ExpressionParser::comparison_operator(Operator& op) {
  static constexpr std::array<std::pair<std::string_view, Operator>, 7> kComparisons = {
      {{"==", Operator::equal},
       {"!=", Operator::not_equal},
       {"<", Operator::less},
       {"<=", Operator::less_equal},
       {">", Operator::greater},
       {">=", Operator::greater_equal},
       {"in", Operator::in}}};
  for (const auto& [symbol, found] : kComparisons) {
    if (!accept(symbol)) continue;
    op = found;
    return true;
  }
  if (accept("is")) {
    op = accept("not") ? Operator::is_not : Operator::is;
    return true;
  }
  if (accept("not")) {
    expect("in");
    op = Operator::not_in;
    return true;
  }
  return false;
}

ExpressionPtr ExpressionParser::comparison() {
  ExpressionPtr first = sum();
  std::size_t offset = token_.offset;
  Operator op{};
  if (!comparison_operator(op)) return first;
  ExpressionPtr chain = node(Expression::Kind::compare, offset, std::move(first));
  do {
    chain->ops.push_back(op);
    add(*chain, sum());
  } while (comparison_operator(op));
  return chain;
}

ExpressionPtr ExpressionParser::sum() {
  ExpressionPtr left = product();
  while (at("+") || at("-")) {
    const std::size_t offset = token_.offset;
    const Operator op = at("+") ? Operator::add : Operator::subtract;
    advance();
    left = node(Expression::Kind::binary, offset, std::move(left), product());
    left->op = op;
  }
  return left;
}

ExpressionPtr ExpressionParser::product() {
  static constexpr std::array<std::pair<std::string_view, Operator>, 4> kProducts = {
      {{"*", Operator::multiply},
       {"/", Operator::divide},
       {"//", Operator::floor_divide},
       {"%", Operator::modulo}}};
  ExpressionPtr left = factor();
  for (;;) {
    const auto* const found = std::find_if(kProducts.begin(), kProducts.end(),
                                           [&](const auto& product) { return at(product.first); });
    if (found == kProducts.end()) return left;
    const std::size_t offset = token_.offset;
    advance();
    left = node(Expression::Kind::binary, offset, std::move(left), factor());
    left->op = found->second;
  }
}

ExpressionPtr ExpressionParser::factor() {
  const Nesting nesting(*this);
  const std::size_t offset = token_.offset;
  if (at("-") || at("+")) {
    const Operator op = at("-") ? Operator::negate : Operator::plus;
    advance();
    ExpressionPtr unary = node(Expression::Kind::unary, offset, factor());
    unary->op = op;
    return unary;
  }
  ExpressionPtr base = postfix();
  if (!at("**")) return base;
  const std::size_t power = token_.offset;
  advance();
  ExpressionPtr raised = node(Expression::Kind::binary, power, std::move(base), factor());
  raised->op = Operator::power;
  return raised;
}

ExpressionPtr ExpressionParser::postfix() {
  ExpressionPtr value = atom();
  for (;;) {
    const std::size_t offset = token_.offset;
    if (accept(".")) {
      ExpressionPtr attribute = node(Expression::Kind::attribute, offset, std::move(value));
      attribute->name = name("the name of an attribute");
      value = std::move(attribute);
    } else if (accept("[")) {
      value = subscript(std::move(value));
    } else if (at("(")) {
      value = node(Expression::Kind::call, offset, std::move(value));
      arguments(*value);
    } else if (accept("|")) {
      value = filter(std::move(value));
    } else {
      return value;
    }
  }
}

ExpressionPtr ExpressionParser::subscript(ExpressionPtr object) {
  const std::size_t offset = token_.offset;
  ExpressionPtr first = at(":") ? nullptr : tuple();
  if (!at(":")) {
    expect("]");
    return node(Expression::Kind::index, offset, std::move(object), std::move(first));
  }
  ExpressionPtr slice = node(Expression::Kind::slice, offset, std::move(object));
  add(*slice, std::move(first));
  while (accept(":")) {
    if (slice->items.size() == 4) fail_at_token("a slice has at most three parts");
    add(*slice, at(":") || at("]") ? nullptr : test());
  }
  slice->items.resize(4);
  expect("]");
  return slice;
}

ExpressionPtr ExpressionParser::filter(ExpressionPtr value) {
  const std::size_t offset = token_.offset;
  ExpressionPtr function = node(Expression::Kind::name, offset);
  function->name = name("the name of a filter");
  ExpressionPtr call = node(Expression::Kind::call, offset, std::move(function), std::move(value));
  if (at("(")) arguments(*call);
  return call;
}

// At the `(`.
void ExpressionParser::arguments(Expression& call) {
  expect("(");
  while (!accept(")")) {
    const std::size_t offset = token_.offset;
    ExpressionPtr argument = test();
    if (argument->kind == Expression::Kind::name && accept("=")) {
      if (call.names.size() == kMostNamedArguments) source_.fail(offset, "the call has too many arguments");
      if (std::find(call.names.begin(), call.names.end(), argument->name) != call.names.end())
        source_.fail(offset, fmt::format("the argument '{}' is given twice", argument->name));
      call.names.push_back(std::move(argument->name));
      argument = test();
    } else if (!call.names.empty()) {
      source_.fail(offset, "an argument without a name stands behind one with a name");
    } else if (at("for")) {
      argument = comprehension(std::move(argument));
    }
    add(call, std::move(argument));
    if (!at(")")) expect(",");
  }
}

ExpressionPtr ExpressionParser::atom() {
  const Nesting nesting(*this);
  const std::size_t offset = token_.offset;
  if (token_.kind == ExpressionToken::Kind::constant) {
    ExpressionPtr constant = node(Expression::Kind::constant, offset);
    constant->constant = std::move(token_.value);
    advance();
    const auto is_text = [&] {
      return token_.kind == ExpressionToken::Kind::constant && token_.value.as_text();
    };
    if (!constant->constant.as_text() || !is_text()) return constant;
    std::string text = *constant->constant.as_text();
    for (; is_text(); advance()) text += *token_.value.as_text();
    constant->constant = std::move(text);
    return constant;
  }
  if (accept("(")) return parenthesis();
  if (accept("[")) return list();
  if (accept("{")) return map();
  if (at("True") || at("False") || at("None")) {
    ExpressionPtr constant = node(Expression::Kind::constant, offset);
    if (!at("None")) constant->constant = at("True");
    advance();
    return constant;
  }
  ExpressionPtr variable = node(Expression::Kind::name, offset);
  variable->name = name("an expression");
  return variable;
}

ExpressionPtr ExpressionParser::parenthesis() {
  const std::size_t offset = token_.offset;
  if (accept(")")) return node(Expression::Kind::tuple, offset);
  ExpressionPtr inner = tuple();
  if (at("for")) inner = comprehension(std::move(inner));
  expect(")");
  return inner;
}

ExpressionPtr ExpressionParser::list() {
  ExpressionPtr items = node(Expression::Kind::list, token_.offset);
  while (!accept("]")) {
    ExpressionPtr item = test();
    if (items->items.empty() && at("for")) {
      item = comprehension(std::move(item));
      expect("]");
      return item;
    }
    add(*items, std::move(item));
    if (!at("]")) expect(",");
  }
  return items;
}

ExpressionPtr ExpressionParser::map() {
  ExpressionPtr entries = node(Expression::Kind::map, token_.offset);
  while (!accept("}")) {
    add(*entries, test());
    expect(":");
    add(*entries, test());
    if (!at("}")) expect(",");
  }
  return entries;
}

// At the `for`.
ExpressionPtr ExpressionParser::comprehension(ExpressionPtr element) {
  const std::size_t offset = element->offset;
  ExpressionPtr result = node(Expression::Kind::comprehension, offset, std::move(element));
  while (accept("for")) {
    result->clauses.push_back(clause());
    const ComprehensionClause& added = result->clauses.back();
    std::size_t deepest = added.iterable->depth;
    for (const ExpressionPtr& condition : added.conditions) deepest = std::max(deepest, condition->depth);
    result->depth = std::max(result->depth, deepest + result->clauses.size());
  }
  if (result->depth > kMostExpressionDepth)
    source_.fail(result->offset, "the expression is nested too deeply");
  return result;
}

ComprehensionClause ExpressionParser::clause() {
  ComprehensionClause clause;
  clause.target = targets();
  expect("in");
  clause.iterable = logical_or();
  while (accept("if")) clause.conditions.push_back(logical_or());
  return clause;
}

Target ExpressionParser::targets() {
  const std::size_t offset = token_.offset;
  Target first = target();
  if (!at(",")) return first;
  Target all;
  all.offset = offset;
  all.parts.push_back(std::move(first));
  while (accept(",")) {
    if (at("in") || at("=") || at(")")) break;
    all.parts.push_back(target());
  }
  return all;
}

Target ExpressionParser::target() {
  const Nesting nesting(*this);
  if (accept("(")) {
    Target inner = targets();
    expect(")");
    return inner;
  }
  Target single;
  single.offset = token_.offset;
  single.name = name("the name of a variable");
  return single;
}

ExpressionPtr ExpressionParser::node(Expression::Kind kind, std::size_t offset) const {
  ExpressionPtr made = std::make_unique<Expression>();
  made->kind = kind;
  made->offset = offset;
  return made;
}

ExpressionPtr ExpressionParser::node(Expression::Kind kind, std::size_t offset, ExpressionPtr first,
                                     ExpressionPtr second) const {
  ExpressionPtr made = node(kind, offset);
  add(*made, std::move(first));
  if (second) add(*made, std::move(second));
  return made;
}

void ExpressionParser::add(Expression& to, ExpressionPtr item) const {
  if (item) to.depth = std::max(to.depth, item->depth + 1);
  to.items.push_back(std::move(item));
  if (to.depth > kMostExpressionDepth) source_.fail(to.offset, "the expression is nested too deeply");
}

bool ExpressionParser::accept(std::string_view text) {
  if (!at(text)) return false;
  advance();
  return true;
}

void ExpressionParser::expect(std::string_view text) {
  if (!accept(text)) fail_at_token(fmt::format("expected '{}'", text));
}

std::string ExpressionParser::name(const char* what) {
  if (token_.kind != ExpressionToken::Kind::name || is_keyword(token_.text))
    fail_at_token(fmt::format("expected {}", what));
  if (token_.text.starts_with("_tt_")) fail_at_token("names that begin with _tt_ are reserved");
  std::string name(token_.text);
  advance();
  return name;
}

void ExpressionParser::expect_end() const {
  if (token_.kind != ExpressionToken::Kind::end) fail_at_token("expected the end of the expression");
}

void ExpressionParser::fail_at_token(const std::string& message) const {
  switch (token_.kind) {
    case ExpressionToken::Kind::end: source_.fail(token_.offset, message + ", and the tag ends");
    case ExpressionToken::Kind::constant:
      source_.fail(token_.offset, message + ", found a number or a string");
    default: source_.fail(token_.offset, fmt::format("{}, found '{}'", message, token_.text));
  }
}

}  // namespace squall::web::detail
