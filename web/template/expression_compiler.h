#pragma once

#include <squall/web/template/program_builder.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web::detail {

// Compiles expressions: the instructions push one value.
class ExpressionCompiler {
 public:
  explicit ExpressionCompiler(ProgramBuilder& builder) noexcept : builder_(builder) {}

  void compile(const Expression& expression);
  // Stores the topmost value. `is_item`: the value is an item of the innermost loop.
  void store(const Target& target, bool is_item);
  // The variables of a target.
  std::vector<std::uint32_t> variables_of(const Target& target);

 private:
  void compile_items(const Expression& expression);
  void compile_call(const Expression& expression);
  void compile_slice(const Expression& expression);
  void compile_comparison(const Expression& expression);
  void compile_logical(const Expression& expression, TemplateOp jump);
  void compile_conditional(const Expression& expression);
  void compile_comprehension(const Expression& expression);
  void compile_clause(const Expression& expression, std::size_t index);
  void hide(const Target& target);
  std::uint32_t variable(const std::string& name);

  ProgramBuilder& builder_;
  // Variables of the comprehensions around, the innermost last.
  std::vector<std::pair<std::string, std::uint32_t>> hidden_;
};

}  // namespace squall::web::detail
