#include <squall/web/template/template_machine.h>

#include <squall/web/escape/xhtml.h>
#include <squall/web/template/operations.h>
#include <squall/web/template/safe_url.h>
#include <squall/web/template/template_functions.h>
#include <squall/web/template/value_text.h>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace squall::web::detail {
namespace {

// Written in place of a value that is no word or number of a style.
constexpr std::string_view kUnsafeCss = "unsafe";

// A text as HTML, without `-`, so that it does not end a comment.
void append_comment(std::string& to, const std::string& text) {
  std::string escaped;
  append_xhtml_escaped(escaped, text);
  for (const char c : escaped) {
    if (c == '-') {
      to += "&#x2d;";
    } else {
      to += c;
    }
  }
}

}  // namespace

TemplateMachine::TemplateMachine(std::shared_ptr<const TemplateProgram> program, Names names,
                                 const TemplateLimits& limits)
    : program_(std::move(program)),
      names_(std::move(names)),
      budget_(limits),
      max_output_(limits.max_output.value_or(std::numeric_limits<std::size_t>::max())),
      variables_(program_->variables.size()) {}

bool TemplateMachine::resume(std::string& out, std::size_t until) {
  if (has_ended_) return false;
  out_ = &out;
  page_ = &out;
  start_ = out.size();
  set_limit();
  for (;;) {
    std::string message;
    TemplateFault fault = TemplateFault::runtime;
    std::exception_ptr error;
    try {
      const bool is_paused = execute(until);
      has_ended_ = !is_paused;
      written_ += out.size() - start_;
      return is_paused;
    } catch (const TemplateFailure& failure) {
      fault = failure.fault();
      message = failure.what();
    } catch (const std::bad_alloc&) {
      has_ended_ = true;
      throw;
    } catch (const std::exception& exception) {
      message = exception.what();
      error = std::current_exception();
    } catch (...) {
      has_ended_ = true;
      throw;
    }
    --at_;
    if (!recover(fault, message, error)) {
      has_ended_ = true;
      fail(fault, message, error);
    }
  }
}

// True if it stopped because `out` is large enough.
bool TemplateMachine::execute(std::size_t until) {
  const TemplateInstruction* const instructions = program_->instructions.data();
  for (;;) {
    const TemplateInstruction& instruction = instructions[at_++];
    budget_.spend();
    switch (instruction.op) {
      case TemplateOp::text:
        budget_.spend_text(program_->texts[instruction.a].size());
        out_->append(program_->texts[instruction.a]);
        check_output();
        break;
      case TemplateOp::emit_variable: {
        const TemplateValue& value = load(instruction.b);
        const std::string* const text = value.as_text();
        if (text && TemplateEscape(instruction.flag) == TemplateEscape::html) {
          // Most values of pages.
          budget_.spend_text(text->size());
          append_xhtml_escaped(*out_, *text);
          check_output();
        } else {
          emit(TemplateEscape(instruction.flag), value);
        }
        break;
      }
      case TemplateOp::repeat_into:
        if (const TemplateValue* const item = next_item()) {
          Variable& variable = variables_[instruction.b];
          variable.state = Variable::State::item;
          variable.other = item;
          at_ = instruction.a;
        }
        break;
      case TemplateOp::emit: emit(TemplateEscape(instruction.flag), pop().get()); break;
      case TemplateOp::next_into: {
        const TemplateValue* const item = next_item();
        if (!item) {
          at_ = instruction.a;
          break;
        }
        Variable& variable = variables_[instruction.b];
        variable.state = Variable::State::item;
        variable.other = item;
        break;
      }
      case TemplateOp::jump: at_ = instruction.a; break;
      case TemplateOp::stop: return false;
      default: step(instruction); continue;
    }
    if (out_->size() >= until && out_ == page_ && attempts_.empty()) return true;
  }
}

void TemplateMachine::step(const TemplateInstruction& instruction) {
  switch (instruction.op) {
    case TemplateOp::load: push_other(&load(instruction.a)); return;
    case TemplateOp::constant: push_other(&program_->constants[instruction.a]); return;
    case TemplateOp::attribute: return attribute(program_->names[instruction.a]);
    case TemplateOp::store: return store(instruction.a, instruction.flag != 0);
    case TemplateOp::call: return call(program_->calls[instruction.a]);
    case TemplateOp::call_method:
      return call_method(program_->calls[instruction.a], program_->names[instruction.b]);
    case TemplateOp::jump_if_false:
      if (!pop().get().is_true()) at_ = instruction.a;
      return;
    case TemplateOp::jump_or_drop_if_false:
    case TemplateOp::jump_or_drop_if_true:
      if (from_top(0).is_true() == (instruction.op == TemplateOp::jump_or_drop_if_true)) {
        at_ = instruction.a;
      } else {
        pop();
      }
      return;
    case TemplateOp::to_text: {
      std::string text;
      append_text(text, from_top(0), budget_);
      return replace_top(1, std::move(text));
    }
    default: return step_expression(instruction);
  }
}

void TemplateMachine::step_expression(const TemplateInstruction& instruction) {
  const auto op = static_cast<Operator>(instruction.flag);
  switch (instruction.op) {
    case TemplateOp::index: return index();
    case TemplateOp::slice: return slice();
    case TemplateOp::unpack: return unpack(instruction.a, instruction.flag != 0);
    case TemplateOp::list: return make_list(instruction.a);
    case TemplateOp::map: return make_map(instruction.a);
    case TemplateOp::binary:
      return replace_top(2, calculate(op, from_top(1), from_top(0), instruction.b != 0, budget_));
    case TemplateOp::unary:
      if (op == Operator::logical_not) return replace_top(1, !from_top(0).is_true());
      return replace_top(1, op == Operator::negate ? negate(from_top(0)) : identity(from_top(0)));
    case TemplateOp::compare: return replace_top(2, compare(op, from_top(1), from_top(0), budget_));
    case TemplateOp::compare_chain: return compare_chain(instruction);
    case TemplateOp::begin_capture:
      captures_.push_back(std::make_unique<std::string>());
      out_ = captures_.back().get();
      set_limit();
      return;
    case TemplateOp::end_capture:
      push(std::move(*captures_.back()));
      captures_.pop_back();
      out_ = captures_.empty() ? page_ : captures_.back().get();
      set_limit();
      return;
    case TemplateOp::apply: return apply();
    default: return step_loop(instruction);
  }
}

void TemplateMachine::step_loop(const TemplateInstruction& instruction) {
  switch (instruction.op) {
    case TemplateOp::iterate: {
      TemplateValue items = items_to_loop(from_top(0), budget_);
      pop();
      loops_.push_back({std::move(items)});
      return;
    }
    case TemplateOp::next:
      if (const TemplateValue* const item = next_item()) {
        push_other(item);
      } else {
        at_ = instruction.a;
      }
      return;
    case TemplateOp::settle:
      if (instruction.flag == 0) return settle(variables_[instruction.a]);
      variables_[instruction.a].state = Variable::State::unknown;
      return;
    case TemplateOp::leave_loop: return leave_loop();
    case TemplateOp::begin_list: lists_.emplace_back(); return;
    case TemplateOp::append_item: lists_.back().push_back(pop().take()); return;
    case TemplateOp::end_list: {
      TemplateValue list = TemplateValue::list(std::move(lists_.back()));
      lists_.pop_back();
      return push(std::move(list));
    }
    default: return step_attempt(instruction);
  }
}

void TemplateMachine::step_attempt(const TemplateInstruction& instruction) {
  switch (instruction.op) {
    case TemplateOp::push_try:
      // recover() looks at all variables.
      budget_.spend(variables_.size() / 16);
      attempts_.push_back({instruction.a, stack_.size(), loops_.size(), captures_.size(), faults_.size(),
                           resumes_.size(), lists_.size(), out_->size()});
      return;
    case TemplateOp::pop_try: attempts_.pop_back(); return;
    case TemplateOp::match_fault: {
      const auto& names = program_->fault_lists[instruction.a];
      const TemplateFault fault = faults_.back().fault;
      const bool is_caught = names.empty() || std::any_of(names.begin(), names.end(), [&](const auto& name) {
                               return catches(name, fault);
                             });
      if (!is_caught) at_ = instruction.b;
      return;
    }
    case TemplateOp::push_fault: return push(faults_.back().message);
    case TemplateOp::clear_fault: faults_.pop_back(); return;
    case TemplateOp::rethrow: rethrow_fault();
    case TemplateOp::call_finally:
      resumes_.push_back({at_});
      at_ = instruction.a;
      return;
    case TemplateOp::begin_rethrow:
      resumes_.push_back({std::nullopt});
      at_ = instruction.a;
      return;
    case TemplateOp::end_finally: {
      const Resume resume = resumes_.back();
      resumes_.pop_back();
      if (!resume.place) rethrow_fault();
      at_ = *resume.place;
      return;
    }
    default:  // drop_finally
      if (!resumes_.back().place) faults_.pop_back();
      resumes_.pop_back();
  }
}

// ---- Output.

// The size of out_ at which the output is too large.
void TemplateMachine::set_limit() noexcept {
  const std::size_t left = out_ == page_ ? max_output_ - written_ : max_output_;
  const std::size_t start = out_ == page_ ? start_ : 0;
  limit_ = left > std::numeric_limits<std::size_t>::max() - start ? left : start + left;
}

void TemplateMachine::fail_output() {
  throw TemplateFailure(TemplateFault::limit,
                        "the template has written more than TemplateLimits::max_output");
}

void TemplateMachine::emit(TemplateEscape escape, const TemplateValue& value) {
  const bool is_script = escape == TemplateEscape::script || escape == TemplateEscape::script_attribute;
  if (const std::string* const text = value.as_text(); text && !is_script) {
    budget_.spend_text(text->size());
    emit_text(escape, *text);
  } else if (value.as_integer() && escape != TemplateEscape::comment && !is_script) {
    append_text(*out_, value, budget_);
  } else {
    std::string text_of_value;
    if (is_script) {
      append_script_json(text_of_value, value, budget_);
      // A `-` before the value makes no `--` with it.
      if (text_of_value.starts_with('-')) *out_ += ' ';
    } else {
      append_text(text_of_value, value, budget_);
    }
    emit_text(escape, text_of_value);
  }
  check_output();
}

void TemplateMachine::emit_text(TemplateEscape escape, const std::string& text) {
  switch (escape) {
    case TemplateEscape::none:
    case TemplateEscape::script: out_->append(text); return;
    case TemplateEscape::html:
    case TemplateEscape::script_attribute: return append_xhtml_escaped(*out_, text);
    case TemplateEscape::url_start:
      if (!is_safe_url(text)) break;
      return append_xhtml_escaped(*out_, text);
    case TemplateEscape::url_rest:
      if (!is_safe_url_rest(text)) break;
      return append_xhtml_escaped(*out_, text);
    case TemplateEscape::comment: return append_comment(*out_, text);
    case TemplateEscape::css: out_->append(is_safe_css(text) ? std::string_view(text) : kUnsafeCss); return;
  }
  out_->append(kUnsafeUrl);
}

// ---- Variables.

// The order of names: set by the template, arguments, the lookup, the loader's namespace, those of all
// templates (TPL-26).
const TemplateValue& TemplateMachine::find(std::uint32_t index) {
  Variable& variable = variables_[index];
  const std::string& name = program_->variables[index];
  const TemplateValue* found = names_.arguments.find(name);
  if (!found && names_.lookup) found = names_.lookup(name);
  if (!found && names_.defaults) found = names_.defaults->find(name);
  if (!found) found = builtin_named(name);
  if (!found) throw TemplateFailure(TemplateFault::name, fmt::format("name '{}' is not defined", name));
  variable.state = Variable::State::other;
  variable.other = found;
  return *found;
}

void TemplateMachine::store(std::uint32_t index, bool is_item) {
  Variable& variable = variables_[index];
  if (is_item && stack_.back().other) {
    variable.state = Variable::State::item;
    variable.other = stack_.back().other;
  } else {
    TemplateValue value = stack_.back().take();
    variable.own = std::move(value);
    variable.state = Variable::State::own;
  }
  stack_.pop_back();
}

void TemplateMachine::settle(Variable& variable) {
  if (variable.state != Variable::State::item) return;
  TemplateValue copy = *variable.other;
  variable.own = std::move(copy);
  variable.state = Variable::State::own;
}

const TemplateValue* TemplateMachine::next_item() {
  Loop& loop = loops_.back();
  const TemplateValue::List& items = *loop.items.as_list();
  return loop.next < items.size() ? &items[loop.next++] : nullptr;
}

// ---- Expressions.

TemplateMachine::Cell TemplateMachine::pop() {
  Cell cell = std::move(stack_.back());
  stack_.pop_back();
  return cell;
}

// The value in place of the topmost `count`.
void TemplateMachine::replace_top(std::size_t count, TemplateValue value) {
  stack_.resize(stack_.size() - count + 1);
  stack_.back().other = nullptr;
  stack_.back().own = std::move(value);
}

void TemplateMachine::attribute(const std::string& name) {
  Cell& top = stack_.back();
  const TemplateValue& object = top.get();
  const TemplateValue* const found = object.find(name);
  if (!found) {
    if (object.as_map())
      throw TemplateFailure(TemplateFault::attribute, fmt::format("the map has no '{}'", name));
    throw TemplateFailure(TemplateFault::attribute, fmt::format("{} has no '{}'", kind_name(object), name));
  }
  if (top.other) {
    top.other = found;
  } else {
    TemplateValue copy = *found;
    top.own = std::move(copy);
  }
}

void TemplateMachine::index() {
  const bool is_other = stack_[stack_.size() - 2].other != nullptr;
  const TemplateValue& container = from_top(1);
  if (const std::string* const key = from_top(0).as_text()) budget_.spend_text(key->size());
  const TemplateValue* const found = item_of(container, from_top(0));
  if (found && is_other) {
    stack_.pop_back();
    stack_.back().other = found;
    return;
  }
  replace_top(2, found ? *found : character_at(container, from_top(0), budget_));
}

void TemplateMachine::slice() {
  replace_top(4, detail::slice(from_top(3), from_top(2), from_top(1), from_top(0), budget_));
}

// The items of a list of others' values stay where they are, if they are items of a loop.
void TemplateMachine::unpack(std::uint32_t count, bool is_item) {
  const Cell list = pop();
  const TemplateValue items = list.get().as_list() ? TemplateValue() : items_to_loop(list.get(), budget_);
  const TemplateValue::List& values = items.is_null() ? *list.get().as_list() : *items.as_list();
  if (values.size() != count)
    throw TemplateFailure(TemplateFault::value,
                          fmt::format("expected {} items to unpack, found {}", count, values.size()));
  for (std::size_t i = count; i-- > 0;) {
    if (is_item && list.other && items.is_null()) {
      push_other(&values[i]);
    } else {
      push(values[i]);
    }
  }
}

void TemplateMachine::make_list(std::uint32_t count) {
  budget_.spend(count);
  TemplateValue::List items;
  items.reserve(count);
  for (std::size_t i = count; i-- > 0;) items.push_back(stack_[stack_.size() - 1 - i].take());
  stack_.resize(stack_.size() - count);
  push(TemplateValue::list(std::move(items)));
}

void TemplateMachine::make_map(std::uint32_t count) {
  budget_.spend(count);
  std::vector<TemplateValue::Entry> entries;
  entries.reserve(count);
  for (std::size_t i = count; i-- > 0;) {
    const TemplateValue& key = from_top(2 * i + 1);
    if (!key.as_text())
      throw TemplateFailure(TemplateFault::type,
                            fmt::format("the keys of a map are texts, not {}", kind_name(key)));
    budget_.spend_text(key.as_text()->size());
    entries.emplace_back(*key.as_text(), from_top(2 * i));
  }
  stack_.resize(stack_.size() - 2 * std::size_t{count});
  push(TemplateValue::map(std::move(entries)));
}

void TemplateMachine::compare_chain(const TemplateInstruction& instruction) {
  const bool is_true = compare(static_cast<Operator>(instruction.flag), from_top(1), from_top(0), budget_);
  if (!is_true) {
    replace_top(2, false);
    at_ = instruction.a;
    return;
  }
  Cell right = pop();
  stack_.back() = std::move(right);
}

TemplateMachine::CallArguments TemplateMachine::take_arguments(const CallShape& shape) {
  CallArguments arguments;
  const std::size_t first_named = shape.count - shape.names.size();
  arguments.positional.reserve(first_named);
  for (std::size_t i = 0; i < shape.count; ++i) {
    TemplateValue value = stack_[stack_.size() - shape.count + i].take();
    if (i < first_named) {
      arguments.positional.push_back(std::move(value));
    } else {
      arguments.named.emplace_back(shape.names[i - first_named], std::move(value));
    }
  }
  return arguments;
}

void TemplateMachine::call(const CallShape& shape) {
  const CallArguments arguments = take_arguments(shape);
  const TemplateValue& callee = from_top(shape.count);
  const TemplateValue::Function* const function = callee.as_function();
  if (!function)
    throw TemplateFailure(TemplateFault::type, fmt::format("{} cannot be called", kind_name(callee)));
  replace_top(shape.count + 1, (*function)({arguments.positional, arguments.named, budget_}));
}

// An entry of a map comes before a method.
void TemplateMachine::call_method(const CallShape& shape, const std::string& name) {
  const TemplateValue& object = from_top(shape.count);
  if (const TemplateValue* const entry = object.find(name)) {
    TemplateValue function = *entry;
    Cell& callee = stack_[stack_.size() - 1 - shape.count];
    callee.other = nullptr;
    callee.own = std::move(function);
    return call(shape);
  }
  const CallArguments arguments = take_arguments(shape);
  replace_top(shape.count + 1,
              detail::call_method(object, name, {arguments.positional, arguments.named, budget_}));
}

// The text below the function.
void TemplateMachine::apply() {
  const std::vector<TemplateValue> positional = {from_top(1)};
  const TemplateValue::Function* const function = from_top(0).as_function();
  if (!function)
    throw TemplateFailure(TemplateFault::type,
                          fmt::format("apply needs a function, not {}", kind_name(from_top(0))));
  replace_top(2, (*function)({positional, {}, budget_}));
}

// ---- Errors.

// Goes on at the innermost try, with everything as it was when the try began; false without one.
bool TemplateMachine::recover(TemplateFault fault, const std::string& message,
                              const std::exception_ptr& error) {
  if (fault == TemplateFault::limit || attempts_.empty()) return false;
  const Attempt attempt = attempts_.back();
  attempts_.pop_back();
  for (Variable& variable : variables_) settle(variable);
  stack_.resize(attempt.stack);
  loops_.resize(attempt.loops);
  captures_.resize(attempt.captures);
  faults_.resize(attempt.faults);
  resumes_.resize(attempt.resumes);
  lists_.resize(attempt.lists);
  out_ = captures_.empty() ? page_ : captures_.back().get();
  set_limit();
  out_->resize(attempt.output);
  faults_.push_back({at_, fault, message, error});
  at_ = attempt.target;
  return true;
}

// The error goes on, at the place of its try.
void TemplateMachine::rethrow_fault() {
  const Fault fault = std::move(faults_.back());
  faults_.pop_back();
  at_ = fault.at + 1;
  if (fault.error) std::rethrow_exception(fault.error);
  throw TemplateFailure(fault.fault, fault.message);
}

void TemplateMachine::fail(TemplateFault fault, const std::string& message,
                           const std::exception_ptr& nested) const {
  const TemplateProgram::Place place = program_->places[at_];
  const SourceText& source = program_->files[place.file]->source;
  const TemplatePosition position = position_of(source.text, place.offset);
  const std::string line(line_of(source.text, position.line));
  std::string text = fault == TemplateFault::limit || fault == TemplateFault::runtime
                         ? message
                         : fmt::format("{}: {}", fault_name(fault), message);
  TemplateRunError error(fault, std::move(text), source.name, position, line);
  if (!nested) throw error;
  try {
    std::rethrow_exception(nested);
  } catch (...) {
    std::throw_with_nested(error);
  }
}

}  // namespace squall::web::detail
