#pragma once

#include <squall/web/template/html_context.h>
#include <squall/web/template/template_budget.h>
#include <squall/web/template/template_program.h>
#include <squall/web/template/template_run.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web::detail {

// Runs a program: a stack of values, and stacks of the loops, tries and captures that are open. Nothing
// recurses but the text of nested values.
class TemplateMachine {
 public:
  struct Names {
    const TemplateArguments& arguments;
    TemplateLookup lookup{};
    std::shared_ptr<const TemplateArguments> defaults{};  // TemplateOptions::names
  };

  TemplateMachine(std::shared_ptr<const TemplateProgram> program, Names names, const TemplateLimits& limits);

  // See TemplateRun::resume().
  bool resume(std::string& out, std::size_t until);

 private:
  // A value of the stack: another's, or its own. Others' values are in arguments, in lists of open loops and
  // in variables, none of which changes within an expression.
  struct Cell {
    const TemplateValue* other = nullptr;
    TemplateValue own;

    const TemplateValue& get() const noexcept { return other ? *other : own; }
    TemplateValue take() { return other ? *other : std::move(own); }
  };
  struct Variable {
    enum class State : std::uint8_t { unknown, other, item, own };
    State state = State::unknown;
    const TemplateValue* other = nullptr;  // of an item: in the list of an open loop
    TemplateValue own;

    const TemplateValue& get() const noexcept { return state == State::own ? own : *other; }
  };
  struct Loop {
    TemplateValue items;  // a list
    std::size_t next = 0;
  };
  struct Attempt {
    std::uint32_t target;
    std::size_t stack, loops, captures, faults, resumes, lists, output;
  };
  // An error that a try has caught.
  struct Fault {
    std::uint32_t at;  // its instruction
    TemplateFault fault;
    std::string message;
    std::exception_ptr error;
  };
  // Where a finally goes on; an error goes on behind those without a place.
  struct Resume {
    std::optional<std::uint32_t> place;
  };

  bool execute(std::size_t until);
  void step(const TemplateInstruction& instruction);
  void step_expression(const TemplateInstruction& instruction);
  void step_loop(const TemplateInstruction& instruction);
  void step_attempt(const TemplateInstruction& instruction);

  void emit(TemplateEscape escape, const TemplateValue& value);
  void emit_text(TemplateEscape escape, const std::string& text);
  void check_output() const {
    if (out_->size() > limit_) fail_output();
  }
  void set_limit() noexcept;
  [[noreturn]] static void fail_output();
  const TemplateValue& load(std::uint32_t index) {
    const Variable& variable = variables_[index];
    return variable.state == Variable::State::unknown ? find(index) : variable.get();
  }
  const TemplateValue& find(std::uint32_t index);
  void store(std::uint32_t variable, bool is_item);
  void attribute(const std::string& name);
  void index();
  void slice();
  void unpack(std::uint32_t count, bool is_item);
  void make_list(std::uint32_t count);
  void make_map(std::uint32_t count);
  struct CallArguments {
    std::vector<TemplateValue> positional;
    std::vector<TemplateValue::Entry> named;
  };
  CallArguments take_arguments(const CallShape& shape);
  void call(const CallShape& shape);
  void call_method(const CallShape& shape, const std::string& name);
  void apply();
  void compare_chain(const TemplateInstruction& instruction);
  const TemplateValue* next_item();
  void leave_loop() { loops_.pop_back(); }
  void settle(Variable& variable);

  bool recover(TemplateFault fault, const std::string& message, const std::exception_ptr& error);
  [[noreturn]] void rethrow_fault();
  [[noreturn]] void fail(TemplateFault fault, const std::string& message,
                         const std::exception_ptr& nested) const;

  void push(TemplateValue value) { stack_.push_back({nullptr, std::move(value)}); }
  void push_other(const TemplateValue* value) { stack_.push_back({value, {}}); }
  Cell pop();
  const TemplateValue& from_top(std::size_t depth) const noexcept {
    return stack_[stack_.size() - 1 - depth].get();
  }
  void replace_top(std::size_t count, TemplateValue value);

  std::shared_ptr<const TemplateProgram> program_;
  Names names_;
  TemplateBudget budget_;
  std::size_t max_output_;
  std::uint32_t at_ = 0;
  std::string* out_ = nullptr;   // the innermost capture, or the output
  std::string* page_ = nullptr;  // the output
  std::vector<Cell> stack_;
  std::vector<Variable> variables_;
  std::vector<Loop> loops_;
  std::vector<TemplateValue::List> lists_;  // of open comprehensions
  std::vector<std::unique_ptr<std::string>> captures_;
  std::vector<Attempt> attempts_;
  std::vector<Fault> faults_;
  std::vector<Resume> resumes_;
  std::size_t written_ = 0;  // bytes of output in former pieces
  std::size_t start_ = 0;    // of this piece in the output
  std::size_t limit_ = 0;    // see set_limit()
  bool has_ended_ = false;
};

}  // namespace squall::web::detail
