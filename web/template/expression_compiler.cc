#include <squall/web/template/expression_compiler.h>

#include <algorithm>

namespace squall::web::detail {

std::uint32_t ExpressionCompiler::variable(const std::string& name) {
  const auto hidden =
      std::find_if(hidden_.rbegin(), hidden_.rend(), [&](const auto& entry) { return entry.first == name; });
  return hidden != hidden_.rend() ? hidden->second : builder_.variable(name);
}

void ExpressionCompiler::compile(const Expression& expression) {
  using Kind = Expression::Kind;
  switch (expression.kind) {
    case Kind::constant:
      builder_.set_offset(expression.offset);
      builder_.emit(TemplateOp::constant, builder_.constant(expression.constant));
      return;
    case Kind::name:
      builder_.set_offset(expression.offset);
      builder_.emit(TemplateOp::load, variable(expression.name));
      return;
    case Kind::call: return compile_call(expression);
    case Kind::slice: return compile_slice(expression);
    case Kind::compare: return compile_comparison(expression);
    case Kind::logical_and: return compile_logical(expression, TemplateOp::jump_or_drop_if_false);
    case Kind::logical_or: return compile_logical(expression, TemplateOp::jump_or_drop_if_true);
    case Kind::conditional: return compile_conditional(expression);
    case Kind::comprehension: return compile_comprehension(expression);
    default: break;
  }
  compile_items(expression);
  const auto count = static_cast<std::uint32_t>(expression.items.size());
  const auto op = static_cast<std::uint8_t>(expression.op);
  switch (expression.kind) {
    case Kind::list:
    case Kind::tuple: builder_.emit(TemplateOp::list, count); return;
    case Kind::map: builder_.emit(TemplateOp::map, count / 2); return;
    case Kind::attribute: builder_.emit(TemplateOp::attribute, builder_.name(expression.name)); return;
    case Kind::index: builder_.emit(TemplateOp::index); return;
    case Kind::unary: builder_.emit(TemplateOp::unary, 0, 0, op); return;
    default:
      builder_.emit(TemplateOp::binary, 0, expression.items[1]->kind == Kind::tuple ? 1 : 0, op);
      return;
  }
}

// The items in their order; the next instruction is at the expression's own place.
void ExpressionCompiler::compile_items(const Expression& expression) {
  for (const ExpressionPtr& item : expression.items) compile(*item);
  builder_.set_offset(expression.offset);
}

void ExpressionCompiler::compile_call(const Expression& expression) {
  const Expression& callee = *expression.items[0];
  const bool is_method = callee.kind == Expression::Kind::attribute;
  compile(is_method ? *callee.items[0] : callee);
  for (std::size_t i = 1; i < expression.items.size(); ++i) compile(*expression.items[i]);
  builder_.set_offset(is_method ? callee.offset : expression.offset);
  auto& calls = builder_.program().calls;
  calls.push_back({expression.items.size() - 1, expression.names});
  const auto shape = static_cast<std::uint32_t>(calls.size()) - 1;
  if (is_method) {
    builder_.emit(TemplateOp::call_method, shape, builder_.name(callee.name));
  } else {
    builder_.emit(TemplateOp::call, shape);
  }
}

void ExpressionCompiler::compile_slice(const Expression& expression) {
  for (const ExpressionPtr& item : expression.items) {
    if (item) {
      compile(*item);
    } else {
      builder_.emit(TemplateOp::constant, builder_.constant(nullptr));
    }
  }
  builder_.set_offset(expression.offset);
  builder_.emit(TemplateOp::slice);
}

void ExpressionCompiler::compile_comparison(const Expression& expression) {
  compile(*expression.items[0]);
  std::vector<std::uint32_t> jumps;
  for (std::size_t i = 0; i < expression.ops.size(); ++i) {
    compile(*expression.items[i + 1]);
    builder_.set_offset(expression.offset);
    const bool is_last = i + 1 == expression.ops.size();
    const std::uint32_t at = builder_.emit(is_last ? TemplateOp::compare : TemplateOp::compare_chain, 0, 0,
                                           static_cast<std::uint8_t>(expression.ops[i]));
    if (!is_last) jumps.push_back(at);
  }
  for (const std::uint32_t jump : jumps) builder_.land(jump);
}

void ExpressionCompiler::compile_logical(const Expression& expression, TemplateOp jump) {
  std::vector<std::uint32_t> jumps;
  for (std::size_t i = 0; i < expression.items.size(); ++i) {
    if (i > 0) jumps.push_back(builder_.emit(jump));
    compile(*expression.items[i]);
  }
  for (const std::uint32_t from : jumps) builder_.land(from);
}

void ExpressionCompiler::compile_conditional(const Expression& expression) {
  compile(*expression.items[0]);
  const std::uint32_t otherwise = builder_.emit(TemplateOp::jump_if_false);
  compile(*expression.items[1]);
  const std::uint32_t end = builder_.emit(TemplateOp::jump);
  builder_.land(otherwise);
  compile(*expression.items[2]);
  builder_.land(end);
}

void ExpressionCompiler::compile_comprehension(const Expression& expression) {
  const std::size_t before = hidden_.size();
  builder_.set_offset(expression.offset);
  builder_.emit(TemplateOp::begin_list);
  compile_clause(expression, 0);
  builder_.emit(TemplateOp::end_list);
  hidden_.resize(before);
}

// The clause of that index, and within its loop those behind it and the element.
void ExpressionCompiler::compile_clause(const Expression& expression, std::size_t index) {
  if (index == expression.clauses.size()) {
    compile(*expression.items[0]);
    builder_.emit(TemplateOp::append_item);
    return;
  }
  const ComprehensionClause& clause = expression.clauses[index];
  compile(*clause.iterable);
  builder_.emit(TemplateOp::iterate);
  const std::size_t first = hidden_.size();
  hide(clause.target);
  const std::size_t last = hidden_.size();
  const std::uint32_t next = builder_.emit(TemplateOp::next);
  store(clause.target, true);
  for (const ExpressionPtr& condition : clause.conditions) {
    compile(*condition);
    builder_.emit(TemplateOp::jump_if_false, next);
  }
  compile_clause(expression, index + 1);
  builder_.emit(TemplateOp::jump, next);
  builder_.land(next);
  for (std::size_t i = first; i < last; ++i) builder_.emit(TemplateOp::settle, hidden_[i].second, 0, 1);
  builder_.emit(TemplateOp::leave_loop);
}

void ExpressionCompiler::hide(const Target& target) {
  if (target.parts.empty()) hidden_.emplace_back(target.name, builder_.hidden_variable());
  for (const Target& part : target.parts) hide(part);
}

void ExpressionCompiler::store(const Target& target, bool is_item) {
  const std::uint8_t flag = is_item ? 1 : 0;
  builder_.set_offset(target.offset);
  if (target.parts.empty()) {
    builder_.emit(TemplateOp::store, variable(target.name), 0, flag);
    return;
  }
  builder_.emit(TemplateOp::unpack, static_cast<std::uint32_t>(target.parts.size()), 0, flag);
  for (const Target& part : target.parts) store(part, is_item);
}

std::vector<std::uint32_t> ExpressionCompiler::variables_of(const Target& target) {
  if (target.parts.empty()) return {builder_.variable(target.name)};
  std::vector<std::uint32_t> variables;
  for (const Target& part : target.parts) {
    const auto more = variables_of(part);
    variables.insert(variables.end(), more.begin(), more.end());
  }
  return variables;
}

}  // namespace squall::web::detail
