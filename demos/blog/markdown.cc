#include "markdown.h"

#include <cmark.h>

#include <cstdlib>
#include <memory>
#include <new>

namespace blog {
namespace {

struct FreeNode {
  void operator()(cmark_node* node) const noexcept { ::cmark_node_free(node); }
};
struct FreeIterator {
  void operator()(cmark_iter* iterator) const noexcept { ::cmark_iter_free(iterator); }
};
struct FreeText {
  void operator()(char* text) const noexcept { std::free(text); }
};

// A block of HTML becomes a block of code, HTML within a line becomes text.
void show_as_text(cmark_node* html) {
  const bool is_block = ::cmark_node_get_type(html) == CMARK_NODE_HTML_BLOCK;
  cmark_node* const text = ::cmark_node_new(is_block ? CMARK_NODE_CODE_BLOCK : CMARK_NODE_TEXT);
  ::cmark_node_set_literal(text, ::cmark_node_get_literal(html));
  ::cmark_node_replace(html, text);
  ::cmark_node_free(html);
}

}  // namespace

std::string html_of(const std::string& markdown) {
  // Without CMARK_OPT_UNSAFE, which would let HTML and all links through.
  const int options = CMARK_OPT_DEFAULT;
  const std::unique_ptr<cmark_node, FreeNode> document(
      ::cmark_parse_document(markdown.data(), markdown.size(), options));
  const std::unique_ptr<cmark_iter, FreeIterator> nodes(::cmark_iter_new(document.get()));
  for (cmark_event_type event = ::cmark_iter_next(nodes.get()); event != CMARK_EVENT_DONE;
       event = ::cmark_iter_next(nodes.get())) {
    // The iterator is behind a node without children already, so that the node may go.
    cmark_node* const node = ::cmark_iter_get_node(nodes.get());
    const cmark_node_type type = ::cmark_node_get_type(node);
    if (type == CMARK_NODE_HTML_BLOCK || type == CMARK_NODE_HTML_INLINE) show_as_text(node);
  }
  const std::unique_ptr<char, FreeText> html(::cmark_render_html(document.get(), options));
  if (!html) throw std::bad_alloc();
  return html.get();
}

}  // namespace blog
