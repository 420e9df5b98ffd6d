#include <squall/web/template/program_builder.h>

namespace squall::web::detail {

const TemplateFilePtr* ProgramBuilder::set_file(const TemplateFilePtr& file) {
  const TemplateFilePtr* const before = file_;
  file_ = &file;
  const auto [at, is_new] = files_.emplace(file.get(), static_cast<std::uint32_t>(program_->files.size()));
  if (is_new) program_->files.push_back(file);
  file_index_ = at->second;
  return before;
}

std::uint32_t ProgramBuilder::emit(TemplateOp op, std::uint32_t a, std::uint32_t b, std::uint8_t flag) {
  if (program_->instructions.size() == kMostInstructions)
    source().fail(offset_, "the template with its files is too large");
  program_->instructions.push_back({op, flag, a, b});
  program_->places.push_back({file_index_, offset_});
  return here() - 1;
}

std::uint32_t ProgramBuilder::variable(const std::string& name) {
  const auto [at, is_new] = variables_.emplace(name, static_cast<std::uint32_t>(program_->variables.size()));
  if (is_new) program_->variables.push_back(name);
  return at->second;
}

std::uint32_t ProgramBuilder::hidden_variable() {
  program_->variables.emplace_back();
  return static_cast<std::uint32_t>(program_->variables.size()) - 1;
}

std::uint32_t ProgramBuilder::name(const std::string& name) {
  const auto [at, is_new] = names_.emplace(name, static_cast<std::uint32_t>(program_->names.size()));
  if (is_new) program_->names.push_back(name);
  return at->second;
}

std::uint32_t ProgramBuilder::constant(TemplateValue value) {
  program_->constants.push_back(std::move(value));
  return static_cast<std::uint32_t>(program_->constants.size()) - 1;
}

}  // namespace squall::web::detail
