#pragma once

#include <squall/web/template/script_context.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace squall::web::detail {

// How a value is written at its place.
enum class TemplateEscape : std::uint8_t {
  none,
  html,              // xhtml_escape
  url_start,         // the beginning of a URL: as html, if the value's scheme is harmless
  url_rest,          // behind the beginning: as html, if the value has no scheme
  script,            // JSON
  script_attribute,  // JSON, as html
  comment,           // as html, without `-`
  css,               // as it is, if it has only characters of words and numbers
};

// Follows the text of a page, as the HTML standard (13.2.5) tokenizes it, to know where a value stands.
//
// place             what ends it                     a value there
// text              `<` and a letter, `/` or `!`     html
// tag, attribute    `>`; `=` and a quote             a problem, unless it is one of the template's words
// quoted value      the quote                        html; URL, script or css by the attribute; or a problem
// unquoted value    a space, `>`                     a problem
// comment           `-->`                            comment
// script element    `</script`                       script, by ScriptContext; a problem for other types
// style element     `</style`                        css; a problem in strings, functions and comments
// title, textarea   its end tag                      html
// unknown           nothing                          a problem
class HtmlContext {
 public:
  enum class Start : std::uint8_t { text, xml, script, css };
  struct Decision {
    TemplateEscape escape = TemplateEscape::html;
    const char* problem = nullptr;
  };

  explicit HtmlContext(Start start = Start::text) noexcept;

  void read(std::string_view text);
  // How a value is to be written here. `is_word`: the value can only be letters, digits and `-`.
  Decision value(bool is_word);
  // Output that the template's author answers for.
  void skip_raw() noexcept;

  // No text follows, because the loop is left here.
  void set_unreachable() noexcept { is_unreachable_ = true; }
  // At the begin of a loop: forgets what may differ between iterations.
  void begin_loop() noexcept;
  // Whether the body of a loop that begins here may end there, and begin again. `begins_apart`: the body
  // begins with a space, or with output that the template's author answers for.
  bool can_repeat(const HtmlContext& end, bool begins_apart) const;
  // Becomes what holds behind either of two branches; unknown if they end at different places.
  void merge(const HtmlContext& other);
  bool is_unknown() const noexcept { return place_ == Place::unknown; }
  // Whether a `:` has made a value the scheme of a URL.
  bool has_value_scheme() const noexcept { return has_value_scheme_; }

  bool operator==(const HtmlContext&) const = default;

 private:
  enum class Place : std::uint8_t {
    text,
    tag_open,  // behind `<`
    end_open,  // behind `</`
    tag_name,
    in_tag,
    attribute_name,
    after_name,
    before_value,
    quoted,
    unquoted,
    declaration,  // behind `<!`, not yet a comment
    bogus,        // `<!doctype>`, `<?xml>`
    comment,
    script,
    style,
    raw_text,  // of title and textarea
    unknown,
  };
  enum class Attribute : std::uint8_t { plain, url, script, css, opaque, type };
  enum class Url : std::uint8_t { start, prefix, after_value, decided, bad };
  enum class Css : std::uint8_t { code, slash, double_quoted, single_quoted, url, comment, comment_star };

  void read_one(char c);
  void read_text(char c);
  void read_tag(char c);
  void read_attribute(char c);
  void read_declaration(char c);
  void read_element(char c);
  void begin_tag(char c);
  void begin_attribute(char c);
  void begin_unknown_attribute();
  void begin_value(char quote);
  void end_tag();
  void end_value();
  void read_value(char c);
  void read_url(char c);
  void read_css(char c);
  bool has_ended_element(char c);
  std::string_view name_of_end() const noexcept;
  void forget_details() noexcept;
  bool is_in_url() const noexcept;
  bool is_between_attributes() const noexcept;
  HtmlContext comparable() const;
  bool is_same_place(const HtmlContext& other) const;
  Attribute attribute_of(std::string_view name) const noexcept;
  Decision value_in_attribute(bool is_word);
  Decision value_in_url(bool is_word);
  Decision value_in_script(TemplateEscape escape);
  Decision value_in_css() const noexcept;

  Place place_ = Place::text;
  Attribute attribute_ = Attribute::plain;
  Url url_ = Url::start;
  Css css_ = Css::code;
  char quote_ = 0;
  bool is_xml_ = false;
  bool is_end_tag_ = false;
  bool is_self_closed_ = false;    // behind the `/` of a tag
  bool has_url_value_ = false;     // the URL has a value that is not one of the template's words
  bool has_value_scheme_ = false;  // see has_value_scheme()
  bool is_known_script_ = true;
  bool is_unreachable_ = false;
  bool is_reference_open_ = false;  // the value ends in the middle of a character reference
  bool is_script_comment_ = false;  // behind a `<!--` in a script element
  std::uint32_t foreign_ = 0;       // open svg and math elements
  std::string element_;             // the last tag's name
  std::string word_;  // a name, or the last characters of an element's text, or a URL's beginning
  std::string type_;  // the type of a script element
  ScriptContext script_;
};

}  // namespace squall::web::detail
