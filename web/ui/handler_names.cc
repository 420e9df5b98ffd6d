#include <squall/web/ui/handler_names.h>

#include <squall/web/handler/handler_type.h>
#include <squall/web/locale/locales.h>
#include <squall/web/template/template_functions.h>
#include <squall/web/ui/page_modules.h>
#include <squall/web/ui/text_arguments.h>

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace squall::web::detail {
namespace {

// ---- Functions.

TemplateValue static_url_function(RequestHandler& handler) {
  return TemplateValue::function([&handler](const TemplateCall& call) {
    check_arguments(call, 1, {"include_version"});
    const TemplateValue* const version = call.find("include_version");
    const StaticUrl kind = version && !version->is_true() ? StaticUrl::plain : StaticUrl::hashed;
    return TemplateValue(handler.static_url(text_at(call, 0), kind));
  });
}

TemplateValue xsrf_form_html_function(RequestHandler& handler) {
  return TemplateValue::function([&handler](const TemplateCall& call) {
    check_arguments(call, 0);
    return TemplateValue(handler.xsrf_form_html());
  });
}

TemplateValue reverse_url_function(RequestHandler& handler) {
  return TemplateValue::function([&handler](const TemplateCall& call) {
    check_arguments(call, call.positional.size());
    const std::string name = text_at(call, 0);
    std::vector<std::string> arguments;
    for (std::size_t i = 1; i < call.positional.size(); ++i) arguments.push_back(text_at(call, i));
    return TemplateValue(handler.context().routes.reverse(name, arguments));
  });
}

// get_argument(name, default) and get_cookie(name, default).
TemplateValue get_argument_function(RequestHandler& handler) {
  return TemplateValue::function([&handler](const TemplateCall& call) {
    check_arguments(call, 2, {"default"});
    const std::string name = text_at(call, 0);
    if (const TemplateValue* const otherwise = argument(call, 1, "default", false)) {
      const std::vector<std::string> values = handler.get_arguments(name);
      return values.empty() ? *otherwise : TemplateValue(values.back());
    }
    return TemplateValue(handler.get_argument(name));
  });
}

TemplateValue get_arguments_function(RequestHandler& handler) {
  return TemplateValue::function([&handler](const TemplateCall& call) {
    check_arguments(call, 1);
    return TemplateValue(handler.get_arguments(text_at(call, 0)));
  });
}

TemplateValue get_cookie_function(RequestHandler& handler) {
  return TemplateValue::function([&handler](const TemplateCall& call) {
    check_arguments(call, 2, {"default"});
    if (const auto cookie = handler.get_cookie(text_at(call, 0))) return TemplateValue(*cookie);
    const TemplateValue* const otherwise = argument(call, 1, "default", false);
    return otherwise ? *otherwise : TemplateValue();
  });
}

TemplateValue header_function(const http::ServerRequest& request) {
  return TemplateValue::function([&request](const TemplateCall& call) {
    check_arguments(call, 2, {"default"});
    const std::string name = text_at(call, 0);
    if (request.headers().contains(name)) return TemplateValue(request.headers().get(name));
    const TemplateValue* const otherwise = argument(call, 1, "default", false);
    return otherwise ? *otherwise : TemplateValue();
  });
}

// ---- Facts.

TemplateValue handler_facts(RequestHandler& handler) {
  return TemplateValue::map({{"status", handler.status()},
                             {"get_argument", get_argument_function(handler)},
                             {"get_arguments", get_arguments_function(handler)},
                             {"get_cookie", get_cookie_function(handler)},
                             {"static_url", static_url_function(handler)},
                             {"reverse_url", reverse_url_function(handler)},
                             {"xsrf_form_html", xsrf_form_html_function(handler)}});
}

TemplateValue request_facts(RequestHandler& handler) {
  const http::ServerRequest& request = handler.request();
  return TemplateValue::map({{"method", request.method_name()},
                             {"uri", request.target()},
                             {"path", request.path()},
                             {"query", request.query()},
                             {"version", fmt::format("HTTP/1.{}", request.minor_version())},
                             {"protocol", request.protocol()},
                             {"host", request.host()},
                             {"host_name", request.host_name()},
                             {"remote_ip", request.remote_ip()},
                             {"headers", TemplateValue::map({{"get", header_function(request)}})},
                             {"full_url", TemplateValue::function([&request](const TemplateCall& call) {
                                check_arguments(call, 0);
                                return TemplateValue(request.full_url());
                              })}});
}

TemplateValue current_user(RequestHandler& handler) { return handler.current_user_for_template(); }

TemplateValue name_of_locale(RequestHandler& handler, std::string_view name) {
  const Locales* const locales = handler.settings().locales.get();
  if (!locales) throw std::logic_error("templates need Settings::locales for _, pgettext and locale");
  return locales->template_value(name, handler.locale());
}
TemplateValue translate(RequestHandler& handler) { return name_of_locale(handler, "_"); }
TemplateValue pgettext(RequestHandler& handler) { return name_of_locale(handler, "pgettext"); }
TemplateValue locale(RequestHandler& handler) { return name_of_locale(handler, "locale"); }

TemplateValue modules(RequestHandler& handler) { return PageModules::of(handler).functions(); }

// The names of all handlers: a room below this one adds its names here.
struct Known {
  std::string_view name;
  TemplateValue (*make)(RequestHandler& handler);
};
constexpr Known kKnown[] = {
    {"_", translate},
    {"current_user", current_user},
    {"handler", handler_facts},
    {"locale", locale},
    {"modules", modules},
    {"pgettext", pgettext},
    {"request", request_facts},
    {"reverse_url", reverse_url_function},
    {"static_url", static_url_function},
    {"xsrf_form_html", xsrf_form_html_function},
};

bool is_method_name(std::string_view name) {
  return !name.empty() && name.front() != '_' && !(name.front() >= 'A' && name.front() <= 'Z');
}

}  // namespace

HandlerNames::HandlerNames(RequestHandler& handler) : handler_(handler) {
  const TemplateHooks* const hooks = handler.type().templates;
  if (hooks && hooks->get_template_namespace) own_ = hooks->get_template_namespace(handler);
}

const TemplateValue* HandlerNames::find(std::string_view name) {
  if (const TemplateValue* const own = own_.find(name)) return own;
  const Settings& settings = handler_.settings();
  if (is_method_name(name)) {
    const auto method = settings.ui_methods.functions().find(name);
    if (method != settings.ui_methods.functions().end())
      return keep(
          TemplateValue::function([&handler = handler_, &call_method = method->second](
                                      const TemplateCall& call) { return call_method(handler, call); }));
  }
  const auto value = settings.template_names.functions().find(name);
  if (value != settings.template_names.functions().end()) return keep(value->second(handler_));
  for (const Known& known : kKnown)
    if (known.name == name) return keep(known.make(handler_));
  return nullptr;
}

}  // namespace squall::web::detail
