#pragma once

#include <squall/web/template/expression_compiler.h>
#include <squall/web/template/html_context.h>
#include <squall/web/template/program_builder.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {

class TemplateArguments;

namespace detail {

// Where the compiler gets the files from that a template extends and includes.
class TemplateFiles {
 public:
  virtual ~TemplateFiles() = default;

  // The file of that name, relative to the file `parent`. Throws TemplateParseError if the file is
  // malformed,
  // and another exception if the file is missing.
  virtual TemplateFilePtr file(const std::string& name, const std::string& parent) = 0;
};

// Compiles a file and the files that it extends and includes to a program.
class TemplateCompiler {
 public:
  // Without `files` a template cannot extend or include another. `libraries` are for `{% import %}`.
  TemplateCompiler(TemplateFiles* files, const TemplateArguments& libraries) noexcept
      : files_(files), libraries_(libraries) {}

  std::shared_ptr<const TemplateProgram> compile(const TemplateFilePtr& file);

 private:
  struct Block {
    const TemplateNode* node = nullptr;
    const TemplateFilePtr* file = nullptr;
    bool is_open = false;  // being compiled
  };
  // A part of the template that `break` and `continue` leave on their way to the loop.
  struct Scope {
    enum class Kind : std::uint8_t { for_loop, while_loop, attempt, except, guarded, finally, capture };
    Kind kind;
    std::uint32_t next = 0;                  // of a loop: where continue goes
    std::vector<std::uint32_t> variables{};  // of a for loop
    std::vector<std::uint32_t> breaks{};     // jumps to the end of the loop
    std::vector<std::uint32_t> calls{};      // of guarded: calls of its finally
    std::vector<HtmlContext> exits{};        // of a loop: the places of its breaks and continues
  };
  class Depth;

  std::vector<TemplateFilePtr> with_ancestors(const TemplateFilePtr& file);
  const TemplateFilePtr& file_of(const TemplateNode& node, const TemplateFilePtr& parent);
  TemplateFilePtr load(const std::string& name, const TemplateFilePtr& parent, std::size_t offset);
  void find_blocks(const TemplateBody& body, const TemplateFilePtr& file,
                   std::vector<const TemplateFile*>& seen);
  void find_imports(const TemplateBody& body);

  void compile_file(const TemplateFilePtr& file, const TemplateBody& body);
  void compile_body(const TemplateBody& body);
  void compile_node(const TemplateNode& node);
  void compile_output(const TemplateNode& node);
  void compile_escaped(const TemplateNode& node);
  void emit_value(const Expression& expression, TemplateEscape escape);
  void compile_conditional(const TemplateNode& node);
  void compile_for(const TemplateNode& node);
  void compile_while(const TemplateNode& node);
  void compile_loop_body(const TemplateNode& node);
  void compile_loop_exit(const TemplateNode& node, const HtmlContext& begin);
  void compile_jump(const TemplateNode& node);
  void leave(Scope& scope);
  void compile_attempt(const TemplateNode& node);
  void compile_guarded(const TemplateNode& node);
  void compile_excepts(const TemplateNode& node);
  void compile_apply(const TemplateNode& node);
  void compile_block(const TemplateNode& node);
  void compile_include(const TemplateNode& node);
  void compile_import(const TemplateNode& node);
  [[noreturn]] void fail(const TemplateNode& node, std::string message) const;
  bool is_tracked() const noexcept;

  TemplateFiles* files_;
  const TemplateArguments& libraries_;
  ProgramBuilder builder_;
  ExpressionCompiler expressions_{builder_};
  const TemplateFilePtr* file_ = nullptr;  // whose nodes are compiled
  std::map<std::string, Block, std::less<>> blocks_;
  std::deque<TemplateFilePtr> kept_;                                             // files that are included
  std::map<std::pair<const TemplateFile*, std::string>, std::size_t> included_;  // in kept_
  std::vector<Scope> scopes_;
  std::optional<HtmlContext> context_;  // nullopt: the page is no HTML
  std::size_t depth_ = 0;
  std::size_t work_ = 0;  // bodies, and 64 bytes of texts
  std::size_t file_depth_ = 0;
};

}  // namespace detail
}  // namespace squall::web
