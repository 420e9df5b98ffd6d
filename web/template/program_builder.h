#pragma once

#include <squall/web/template/template_limits.h>
#include <squall/web/template/template_program.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace squall::web::detail {

// Appends instructions and their operands to a program.
//
// Errors:    TemplateParseError beyond kMostInstructions
class ProgramBuilder {
 public:
  TemplateProgram& program() noexcept { return *program_; }
  std::shared_ptr<const TemplateProgram> finished() const noexcept { return program_; }

  // The file of the next instructions. Returns the one before.
  const TemplateFilePtr* set_file(const TemplateFilePtr& file);
  const SourceText& source() const noexcept { return (*file_)->source; }
  void set_offset(std::size_t offset) noexcept { offset_ = static_cast<std::uint32_t>(offset); }

  std::uint32_t emit(TemplateOp op, std::uint32_t a = 0, std::uint32_t b = 0, std::uint8_t flag = 0);
  // Where the next instruction will be.
  std::uint32_t here() const noexcept { return static_cast<std::uint32_t>(program_->instructions.size()); }
  // The instruction at `from` jumps to the next instruction.
  void land(std::uint32_t from) noexcept { program_->instructions[from].a = here(); }

  std::uint32_t variable(const std::string& name);
  // A variable that no name reaches.
  std::uint32_t hidden_variable();
  std::uint32_t name(const std::string& name);
  std::uint32_t constant(TemplateValue value);

 private:
  std::shared_ptr<TemplateProgram> program_ = std::make_shared<TemplateProgram>();
  const TemplateFilePtr* file_ = nullptr;
  std::map<const TemplateFile*, std::uint32_t> files_;
  std::uint32_t file_index_ = 0;
  std::uint32_t offset_ = 0;
  std::map<std::string, std::uint32_t, std::less<>> variables_;
  std::map<std::string, std::uint32_t, std::less<>> names_;
};

}  // namespace squall::web::detail
