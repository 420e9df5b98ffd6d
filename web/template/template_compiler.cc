#include <squall/web/template/template_compiler.h>

#include <squall/web/template/page_kind.h>
#include <squall/web/template/template_limits.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace squall::web::detail {

namespace {

// Whether each output of the body begins with a space, or with output that the author answers for.
bool begins_apart(const TemplateBody& body) {
  for (const TemplateNode& node : body) {
    switch (node.kind) {
      case TemplateNode::Kind::text:
        if (node.text.empty()) continue;
        return std::string_view(" \t\n\r\f").find(node.text.front()) != std::string_view::npos;
      case TemplateNode::Kind::set: continue;
      case TemplateNode::Kind::output: return node.is_raw;
      case TemplateNode::Kind::conditional:
        if (!std::all_of(node.branches.begin(), node.branches.end(),
                         [](const TemplateBranch& branch) { return begins_apart(branch.body); }))
          return false;
        if (node.last && !begins_apart(*node.last)) return false;
        continue;
      default: return false;
    }
  }
  return true;
}

}  // namespace

// Counts how deep bodies are nested, over all files, and how many are compiled: blocks and includes multiply
// without an instruction.
class TemplateCompiler::Depth {
 public:
  Depth(TemplateCompiler& compiler, std::size_t offset) : compiler_(compiler) {
    if (++compiler_.depth_ > 2 * kMostBlockDepth) {
      --compiler_.depth_;
      compiler_.builder_.source().fail(offset, "blocks and files are nested too deeply");
    }
    if (++compiler_.work_ > kMostInstructions) {
      --compiler_.depth_;
      compiler_.builder_.source().fail(offset, "the template with its files is too large");
    }
  }
  ~Depth() { --compiler_.depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;

 private:
  TemplateCompiler& compiler_;
};

std::shared_ptr<const TemplateProgram> TemplateCompiler::compile(const TemplateFilePtr& file) {
  // The root of all, which has the body, is the last.
  const std::vector<TemplateFilePtr> chain = with_ancestors(file);
  for (auto at = chain.rbegin(); at != chain.rend(); ++at) {
    std::vector<const TemplateFile*> seen;
    find_blocks((*at)->body, *at, seen);
  }
  context_ = context_of_page(chain.back()->source.name);
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    file_ = &chain[i];
    builder_.set_file(chain[i]);
    find_imports(chain[i]->body);
  }
  compile_file(chain.back(), chain.back()->body);
  builder_.emit(TemplateOp::stop);
  return builder_.finished();
}

std::vector<TemplateFilePtr> TemplateCompiler::with_ancestors(const TemplateFilePtr& file) {
  std::vector<TemplateFilePtr> chain = {file};
  while (chain.back()->extends) {
    const TemplateFilePtr child = chain.back();
    if (chain.size() > kMostFileDepth)
      child->source.fail(child->extends_offset, "files extend one another too deeply");
    if (!files_)
      child->source.fail(child->extends_offset, "{% extends %} block found, but no template loader");
    chain.push_back(load(*child->extends, child, child->extends_offset));
  }
  return chain;
}

TemplateFilePtr TemplateCompiler::load(const std::string& name, const TemplateFilePtr& parent,
                                       std::size_t offset) {
  try {
    return files_->file(name, parent->source.name);
  } catch (const TemplateError&) {
    throw;
  } catch (const std::exception& error) {
    parent->source.fail(offset, error.what());
  }
}

// The file of an include, the same one each time.
const TemplateFilePtr& TemplateCompiler::file_of(const TemplateNode& node, const TemplateFilePtr& parent) {
  if (!files_) parent->source.fail(node.offset, "{% include %} block found, but no template loader");
  const auto [at, is_new] = included_.try_emplace({parent.get(), node.text}, kept_.size());
  if (is_new) {
    try {
      kept_.push_back(load(node.text, parent, node.offset));
    } catch (...) {
      included_.erase(at);
      throw;
    }
    if (kept_.back()->extends)
      parent->source.fail(node.offset,
                          "an included file cannot extend another: extend it by a file of its own");
  }
  return kept_[at->second];
}

// Of blocks with one name the last counts: a child's file is searched behind its parent's.
void TemplateCompiler::find_blocks(const TemplateBody& body, const TemplateFilePtr& file,
                                   std::vector<const TemplateFile*>& seen) {
  for (const TemplateNode& node : body) {
    if (node.kind == TemplateNode::Kind::block) blocks_[node.text] = {&node, &file};
    find_blocks(node.body, file, seen);
    for (const TemplateBranch& branch : node.branches) find_blocks(branch.body, file, seen);
    if (node.last) find_blocks(*node.last, file, seen);
    if (node.finally) find_blocks(*node.finally, file, seen);
    if (node.kind != TemplateNode::Kind::include) continue;
    const TemplateFilePtr& included = file_of(node, file);
    if (std::find(seen.begin(), seen.end(), included.get()) != seen.end()) continue;
    if (seen.size() > kMostFiles) file->source.fail(node.offset, "the template includes too many files");
    seen.push_back(included.get());
    if (++file_depth_ > kMostFileDepth)
      file->source.fail(node.offset, fmt::format("files include one another too deeply: {}", node.text));
    find_blocks(included->body, included, seen);
    --file_depth_;
  }
}

// Outside of its blocks only the imports of a child count.
void TemplateCompiler::find_imports(const TemplateBody& body) {
  for (const TemplateNode& node : body)
    if (node.kind == TemplateNode::Kind::import) compile_import(node);
}

void TemplateCompiler::compile_file(const TemplateFilePtr& file, const TemplateBody& body) {
  const TemplateFilePtr* const before = std::exchange(file_, &file);
  builder_.set_file(file);
  compile_body(body);
  file_ = before;
  if (before) builder_.set_file(*before);
}

void TemplateCompiler::compile_body(const TemplateBody& body) {
  const Depth depth(*this, body.empty() ? 0 : body.front().offset);
  for (const TemplateNode& node : body) compile_node(node);
}

void TemplateCompiler::compile_node(const TemplateNode& node) {
  builder_.set_offset(node.offset);
  switch (node.kind) {
    case TemplateNode::Kind::text:
      if (node.text.empty()) return;
      work_ += node.text.size() / 64;
      if (context_) context_->read(node.text);
      if (context_ && context_->has_value_scheme())
        fail(node, "a ':' behind a value would make the value the scheme of a URL");
      builder_.program().texts.push_back(node.text);
      builder_.emit(TemplateOp::text, static_cast<std::uint32_t>(builder_.program().texts.size()) - 1);
      return;
    case TemplateNode::Kind::output: return compile_output(node);
    case TemplateNode::Kind::set:
      expressions_.compile(*node.expression);
      expressions_.store(node.target, false);
      return;
    case TemplateNode::Kind::conditional: return compile_conditional(node);
    case TemplateNode::Kind::for_loop: return compile_for(node);
    case TemplateNode::Kind::while_loop: return compile_while(node);
    case TemplateNode::Kind::break_loop:
    case TemplateNode::Kind::continue_loop: return compile_jump(node);
    case TemplateNode::Kind::attempt: return node.finally ? compile_guarded(node) : compile_attempt(node);
    case TemplateNode::Kind::apply: return compile_apply(node);
    case TemplateNode::Kind::block: return compile_block(node);
    case TemplateNode::Kind::include: return compile_include(node);
    case TemplateNode::Kind::import: return compile_import(node);
  }
}

// Whether values of this file are escaped by their place in the page.
bool TemplateCompiler::is_tracked() const noexcept {
  const auto& function = (*file_)->autoescape;
  return context_ && function && (*function == "xhtml_escape" || *function == "escape");
}

void TemplateCompiler::compile_output(const TemplateNode& node) {
  const auto& function = (*file_)->autoescape;
  if (!node.is_raw && is_tracked()) return compile_escaped(node);
  if (context_) context_->skip_raw();
  if (node.is_raw || !function) return emit_value(*node.expression, TemplateEscape::none);
  if (*function == "xhtml_escape" || *function == "escape")
    return emit_value(*node.expression, TemplateEscape::html);
  builder_.emit(TemplateOp::load, builder_.variable(*function));
  expressions_.compile(*node.expression);
  builder_.emit(TemplateOp::to_text);
  builder_.program().calls.push_back({1, {}});
  builder_.set_offset(node.offset);
  builder_.emit(TemplateOp::call, static_cast<std::uint32_t>(builder_.program().calls.size()) - 1);
  builder_.emit(TemplateOp::emit, 0, 0, static_cast<std::uint8_t>(TemplateEscape::none));
}

void TemplateCompiler::compile_escaped(const TemplateNode& node) {
  const HtmlContext::Decision decision = context_->value(is_word(*node.expression));
  if (decision.problem)
    fail(node, fmt::format("{}. {{% raw %}} writes it at your own risk", decision.problem));
  const Expression* expression = node.expression.get();
  // In a script every value is JSON: json_encode() would make it JSON twice.
  const bool is_script =
      decision.escape == TemplateEscape::script || decision.escape == TemplateEscape::script_attribute;
  if (is_script && is_json_encode(*expression)) expression = expression->items[1].get();
  emit_value(*expression, decision.escape);
}

void TemplateCompiler::emit_value(const Expression& expression, TemplateEscape escape) {
  const auto flag = static_cast<std::uint8_t>(escape);
  if (expression.kind == Expression::Kind::name) {
    builder_.set_offset(expression.offset);
    builder_.emit(TemplateOp::emit_variable, 0, builder_.variable(expression.name), flag);
    return;
  }
  expressions_.compile(expression);
  builder_.emit(TemplateOp::emit, 0, 0, flag);
}

void TemplateCompiler::compile_conditional(const TemplateNode& node) {
  const auto begin = context_;
  std::optional<HtmlContext> after;
  const auto merge = [&] {
    if (!context_) return;
    if (after) {
      after->merge(*context_);
    } else {
      after = context_;
    }
    context_ = begin;
  };
  std::vector<std::uint32_t> ends;
  for (const TemplateBranch& branch : node.branches) {
    expressions_.compile(*branch.condition);
    const std::uint32_t otherwise = builder_.emit(TemplateOp::jump_if_false);
    compile_body(branch.body);
    ends.push_back(builder_.emit(TemplateOp::jump));
    builder_.land(otherwise);
    merge();
  }
  if (node.last) compile_body(*node.last);
  merge();
  context_ = after;
  for (const std::uint32_t end : ends) builder_.land(end);
}

void TemplateCompiler::compile_for(const TemplateNode& node) {
  expressions_.compile(*node.expression);
  builder_.emit(TemplateOp::iterate);
  const auto variables = expressions_.variables_of(node.target);
  std::uint32_t next = 0;
  if (node.target.parts.empty()) {
    next = builder_.emit(TemplateOp::next_into, 0, variables.front());
  } else {
    next = builder_.emit(TemplateOp::next);
    expressions_.store(node.target, true);
  }
  scopes_.push_back({.kind = Scope::Kind::for_loop, .next = next, .variables = variables});
  if (context_) context_->begin_loop();
  const HtmlContext begin = context_.value_or(HtmlContext());
  compile_loop_body(node);
  if (node.target.parts.empty()) {
    builder_.emit(TemplateOp::repeat_into, next + 1, variables.front());
  } else {
    builder_.emit(TemplateOp::jump, next);
  }
  builder_.land(next);
  leave(scopes_.back());
  compile_loop_exit(node, begin);
}

void TemplateCompiler::compile_while(const TemplateNode& node) {
  scopes_.push_back({.kind = Scope::Kind::while_loop, .next = builder_.here()});
  expressions_.compile(*node.expression);
  const std::uint32_t otherwise = builder_.emit(TemplateOp::jump_if_false);
  if (context_) context_->begin_loop();
  const HtmlContext begin = context_.value_or(HtmlContext());
  compile_loop_body(node);
  builder_.emit(TemplateOp::jump, scopes_.back().next);
  builder_.land(otherwise);
  compile_loop_exit(node, begin);
}

void TemplateCompiler::compile_loop_body(const TemplateNode& node) {
  compile_body(node.body);
  if (context_) scopes_.back().exits.push_back(*context_);
}

// The `else`, and the end of the loop, where its breaks go. The body may have run, or not.
void TemplateCompiler::compile_loop_exit(const TemplateNode& node, const HtmlContext& begin) {
  Scope loop = std::move(scopes_.back());
  scopes_.pop_back();
  if (context_) {
    context_ = begin;
    const bool is_apart = begins_apart(node.body);
    for (const HtmlContext& exit : loop.exits) {
      if (is_tracked() && !begin.is_unknown() && !begin.can_repeat(exit, is_apart))
        fail(node, "the body of the loop ends at another place of the page than it begins");
      context_->merge(exit);
    }
  }
  if (node.last) compile_body(*node.last);
  // A break passes the `else` by.
  if (context_ && node.last && !loop.breaks.empty())
    for (const HtmlContext& exit : loop.exits) context_->merge(exit);
  for (const std::uint32_t jump : loop.breaks) builder_.land(jump);
}

// Undoes what a scope has begun; for `break`, and at the end of a loop.
void TemplateCompiler::leave(Scope& scope) {
  switch (scope.kind) {
    case Scope::Kind::for_loop:
      for (const std::uint32_t variable : scope.variables) builder_.emit(TemplateOp::settle, variable);
      builder_.emit(TemplateOp::leave_loop);
      return;
    case Scope::Kind::while_loop:
    case Scope::Kind::capture: return;
    case Scope::Kind::attempt: builder_.emit(TemplateOp::pop_try); return;
    case Scope::Kind::except: builder_.emit(TemplateOp::clear_fault); return;
    case Scope::Kind::guarded:
      builder_.emit(TemplateOp::pop_try);
      scope.calls.push_back(builder_.emit(TemplateOp::call_finally));
      return;
    case Scope::Kind::finally: builder_.emit(TemplateOp::drop_finally); return;
  }
}

// break and continue: the parser has checked that there is a loop.
void TemplateCompiler::compile_jump(const TemplateNode& node) {
  for (std::size_t i = scopes_.size(); i-- > 0;) {
    Scope& scope = scopes_[i];
    if (scope.kind == Scope::Kind::capture) break;
    const bool is_loop = scope.kind == Scope::Kind::for_loop || scope.kind == Scope::Kind::while_loop;
    if (!is_loop) {
      leave(scope);
      continue;
    }
    if (context_) {
      scope.exits.push_back(*context_);
      context_->set_unreachable();
    }
    if (node.kind == TemplateNode::Kind::continue_loop) {
      builder_.emit(TemplateOp::jump, scope.next);
    } else {
      leave(scope);
      scope.breaks.push_back(builder_.emit(TemplateOp::jump));
    }
    return;
  }
  fail(node, "a block that has break or continue must be in the loop itself");
}

// try and except. The output of a failed body is dropped, so the excepts begin where the body begins.
void TemplateCompiler::compile_attempt(const TemplateNode& node) {
  if (node.branches.empty()) return compile_body(node.body);
  const auto begin = context_;
  const std::uint32_t attempt = builder_.emit(TemplateOp::push_try);
  scopes_.push_back({.kind = Scope::Kind::attempt});
  compile_body(node.body);
  scopes_.pop_back();
  builder_.emit(TemplateOp::pop_try);
  if (node.last) compile_body(*node.last);
  const std::uint32_t end = builder_.emit(TemplateOp::jump);
  builder_.land(attempt);
  const auto after = std::exchange(context_, begin);
  compile_excepts(node);
  if (context_) context_->merge(*after);
  builder_.land(end);
}

void TemplateCompiler::compile_excepts(const TemplateNode& node) {
  const auto begin = context_;
  std::optional<HtmlContext> after;
  std::vector<std::uint32_t> ends;
  scopes_.push_back({.kind = Scope::Kind::except});
  for (const TemplateBranch& branch : node.branches) {
    builder_.set_offset(branch.offset);
    auto& lists = builder_.program().fault_lists;
    lists.push_back(branch.faults);
    const std::uint32_t match =
        builder_.emit(TemplateOp::match_fault, static_cast<std::uint32_t>(lists.size()) - 1);
    if (!branch.alias.empty()) {
      builder_.emit(TemplateOp::push_fault);
      builder_.emit(TemplateOp::store, builder_.variable(branch.alias));
    }
    context_ = begin;
    compile_body(branch.body);
    builder_.emit(TemplateOp::clear_fault);
    ends.push_back(builder_.emit(TemplateOp::jump));
    builder_.program().instructions[match].b = builder_.here();
    if (after) {
      after->merge(*context_);
    } else {
      after = context_;
    }
  }
  scopes_.pop_back();
  builder_.emit(TemplateOp::rethrow);
  for (const std::uint32_t end : ends) builder_.land(end);
  context_ = after;
}

// A try with finally, around its try and excepts.
void TemplateCompiler::compile_guarded(const TemplateNode& node) {
  const auto begin = context_;
  const std::uint32_t guard = builder_.emit(TemplateOp::push_try);
  scopes_.push_back({.kind = Scope::Kind::guarded});
  compile_attempt(node);
  std::vector<std::uint32_t> calls = std::move(scopes_.back().calls);
  scopes_.pop_back();
  builder_.emit(TemplateOp::pop_try);
  calls.push_back(builder_.emit(TemplateOp::call_finally));
  const std::uint32_t end = builder_.emit(TemplateOp::jump);
  builder_.land(guard);
  calls.push_back(builder_.emit(TemplateOp::begin_rethrow));
  for (const std::uint32_t call : calls) builder_.land(call);
  scopes_.push_back({.kind = Scope::Kind::finally});
  if (context_) context_->merge(*begin);
  compile_body(*node.finally);
  scopes_.pop_back();
  builder_.emit(TemplateOp::end_finally);
  builder_.land(end);
}

void TemplateCompiler::compile_apply(const TemplateNode& node) {
  const auto begin = context_;
  builder_.emit(TemplateOp::begin_capture);
  scopes_.push_back({.kind = Scope::Kind::capture});
  compile_body(node.body);
  scopes_.pop_back();
  builder_.emit(TemplateOp::end_capture);
  expressions_.compile(*node.expression);
  builder_.set_offset(node.offset);
  builder_.emit(TemplateOp::apply);
  builder_.emit(TemplateOp::emit, 0, 0, static_cast<std::uint8_t>(TemplateEscape::none));
  context_ = begin;
  if (context_) context_->skip_raw();
}

// The last block of that name, in the file that has it (TPL-23, TPL-24).
void TemplateCompiler::compile_block(const TemplateNode& node) {
  Block& block = blocks_.at(node.text);
  if (block.is_open) fail(node, fmt::format("the block '{}' is within itself", node.text));
  block.is_open = true;
  compile_file(*block.file, block.node->body);
  block.is_open = false;
}

void TemplateCompiler::compile_include(const TemplateNode& node) {
  const TemplateFilePtr& included = file_of(node, *file_);
  if (++file_depth_ > kMostFileDepth)
    fail(node, fmt::format("files include one another too deeply: {}", node.text));
  compile_file(included, included->body);
  --file_depth_;
}

void TemplateCompiler::compile_import(const TemplateNode& node) {
  const TemplateValue* const library = libraries_.find(node.text);
  if (!library)
    fail(node,
         fmt::format("there is no library '{}': TemplateOptions::libraries has those for import", node.text));
  builder_.set_offset(node.offset);
  for (const TemplateNode::Import& import : node.imports) {
    const TemplateValue* const value = import.name.empty() ? library : library->find(import.name);
    if (!value) fail(node, fmt::format("the library '{}' has no '{}'", node.text, import.name));
    builder_.emit(TemplateOp::constant, builder_.constant(*value));
    builder_.emit(TemplateOp::store, builder_.variable(import.alias));
  }
}

void TemplateCompiler::fail(const TemplateNode& node, std::string message) const {
  (*file_)->source.fail(node.offset, std::move(message));
}

}  // namespace squall::web::detail
