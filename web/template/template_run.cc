#include <squall/web/template/template_run.h>

#include <squall/web/template/template.h>
#include <squall/web/template/template_machine.h>

#include <utility>

namespace squall::web {

TemplateRun::TemplateRun(const Template& page, const TemplateArguments& arguments, TemplateLookup lookup,
                         std::optional<TemplateLimits> limits)
    : machine_(std::make_unique<detail::TemplateMachine>(
          page.program(), detail::TemplateMachine::Names{arguments, std::move(lookup), page.shared_names()},
          limits ? *limits : page.options().limits)) {}

TemplateRun::~TemplateRun() = default;
TemplateRun::TemplateRun(TemplateRun&& other) noexcept = default;
TemplateRun& TemplateRun::operator=(TemplateRun&& other) noexcept = default;

bool TemplateRun::resume(std::string& out, std::size_t until) { return machine_->resume(out, until); }

}  // namespace squall::web
