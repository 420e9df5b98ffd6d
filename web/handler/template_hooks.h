#pragma once

#include <squall/web/handler/template_folder.h>

#include <concepts>
#include <memory>
#include <string>
#include <vector>

namespace squall::web {

class RequestHandler;

// The hooks of a handler class for its templates, found at compile time; null for a hook that it does not
// have: see RequestHandler.
struct TemplateHooks {
  using Elements = std::string (*)(RequestHandler& handler, const std::vector<std::string>& resources);

  TemplateArguments (*get_template_namespace)(RequestHandler& handler) = nullptr;
  TemplateFolder (*get_template_path)(RequestHandler& handler) = nullptr;
  std::shared_ptr<TemplateLoader> (*create_template_loader)(RequestHandler& handler,
                                                            const TemplateFolder& folder) = nullptr;
  Elements render_linked_js = nullptr;
  Elements render_embed_js = nullptr;
  Elements render_linked_css = nullptr;
  Elements render_embed_css = nullptr;
};

namespace detail {

template <class H>
constexpr bool kHasTemplateHooks =
    requires { &H::get_template_namespace; } || requires { &H::get_template_path; } ||
    requires { &H::create_template_loader; } || requires { &H::render_linked_js; } ||
    requires { &H::render_embed_js; } || requires { &H::render_linked_css; } ||
    requires { &H::render_embed_css; };

template <class H, auto kMethod>
std::string resource_elements(RequestHandler& handler, const std::vector<std::string>& resources) {
  return (static_cast<H&>(handler).*kMethod)(resources);
}

template <class H>
constexpr TemplateHooks make_template_hooks() {
  TemplateHooks hooks;
  if constexpr (requires { &H::get_template_namespace; })
    hooks.get_template_namespace = [](RequestHandler& handler) -> TemplateArguments {
      return static_cast<H&>(handler).get_template_namespace();
    };
  if constexpr (requires { &H::get_template_path; })
    hooks.get_template_path = [](RequestHandler& handler) -> TemplateFolder {
      return static_cast<H&>(handler).get_template_path();
    };
  if constexpr (requires { &H::create_template_loader; })
    hooks.create_template_loader = [](RequestHandler& handler,
                                      const TemplateFolder& folder) -> std::shared_ptr<TemplateLoader> {
      return static_cast<H&>(handler).create_template_loader(folder);
    };
  if constexpr (requires { &H::render_linked_js; })
    hooks.render_linked_js = &resource_elements<H, &H::render_linked_js>;
  if constexpr (requires { &H::render_embed_js; })
    hooks.render_embed_js = &resource_elements<H, &H::render_embed_js>;
  if constexpr (requires { &H::render_linked_css; })
    hooks.render_linked_css = &resource_elements<H, &H::render_linked_css>;
  if constexpr (requires { &H::render_embed_css; })
    hooks.render_embed_css = &resource_elements<H, &H::render_embed_css>;
  return hooks;
}

template <class H>
inline constexpr TemplateHooks kTemplateHooks = make_template_hooks<H>();

}  // namespace detail
}  // namespace squall::web
