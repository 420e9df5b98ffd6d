#include <squall/web/template/html_context.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/web/escape/character_reference.h>
#include <squall/web/template/safe_url.h>

#include <algorithm>
#include <array>

namespace squall::web::detail {
namespace {

bool is_html_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool is_html_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

template <std::size_t size>
bool is_in(const std::array<std::string_view, size>& names, std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::array<std::string_view, 19> kUrlAttributes = {
    "href",       "src",     "action",   "formaction", "data",      "poster", "cite",
    "background", "ping",    "manifest", "longdesc",   "profile",   "usemap", "codebase",
    "classid",    "archive", "icon",     "lowsrc",     "xlink:href"};
// With them an element of SVG sets another attribute, such as a link's href.
constexpr std::array<std::string_view, 3> kAnimated = {"to", "from", "by"};
constexpr std::array<std::string_view, 9> kScriptTypes = {"",
                                                          "module",
                                                          "text/javascript",
                                                          "application/javascript",
                                                          "text/ecmascript",
                                                          "text/jsx",
                                                          "application/json",
                                                          "application/ld+json",
                                                          "importmap"};

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestReference = 40;
// The longest end tag of an element with text, with a prefix of XML.
constexpr std::size_t kLongestEnd = kLongestName;
// The beginning of an attribute's name that a branch, a value or raw output makes.
constexpr std::string_view kUnknownName = "\x01";
// The name of a tag that depends on a branch, and of one that raw output begins.
constexpr std::string_view kUnknownElement = "?";
constexpr char kRawElement = '-';

// Whether the name of the element matters for what follows.
bool is_special_element(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 7> kSpecial = {"script", "style", "title", "textarea",
                                                               "svg",    "math",  "set"};
  return is_in(kSpecial, name) || name.starts_with("animate");
}

}  // namespace

HtmlContext::HtmlContext(Start start) noexcept {
  is_xml_ = start == Start::xml;
  if (start == Start::script) place_ = Place::script;
  if (start == Start::css) place_ = Place::style;
}

void HtmlContext::read(std::string_view text) {
  // The text goes on with a character reference that another text begins.
  if (is_reference_open_ && !text.empty() && is_in_url() && url_ != Url::decided) url_ = Url::bad;
  while (!text.empty()) {
    const bool is_value = place_ == Place::quoted || place_ == Place::unquoted;
    is_reference_open_ = false;
    if (is_value && text.front() == '&') {
      // The browser reads the character, not the reference.
      std::string character;
      const std::size_t length = append_reference(character, text.substr(0, kLongestReference));
      if (length > 0) {
        for (const char c : character) read_value(c);
        text.remove_prefix(length);
        continue;
      }
      is_reference_open_ = std::all_of(text.begin() + 1, text.end(), [](char c) {
        return is_html_letter(c) || (c >= '0' && c <= '9') || c == '#';
      });
    }
    if (place_ == Place::text) {
      // Most of a page is text: find the next tag.
      text.remove_prefix(std::min(text.find('<'), text.size()));
      if (text.empty()) return;
    }
    if (is_reference_open_) return;
    read_one(text.front());
    text.remove_prefix(1);
  }
}

void HtmlContext::read_one(char c) {
  switch (place_) {
    case Place::text:
    case Place::tag_open:
    case Place::end_open: return read_text(c);
    case Place::tag_name:
    case Place::in_tag: return read_tag(c);
    case Place::attribute_name:
    case Place::after_name:
    case Place::before_value:
    case Place::quoted:
    case Place::unquoted: return read_attribute(c);
    case Place::declaration:
    case Place::bogus:
    case Place::comment: return read_declaration(c);
    case Place::script:
    case Place::style:
    case Place::raw_text: return read_element(c);
    case Place::unknown: return;
  }
}

void HtmlContext::read_text(char c) {
  if (place_ == Place::text) {
    if (c == '<') place_ = Place::tag_open;
    return;
  }
  if (is_html_letter(c)) {
    is_end_tag_ = place_ == Place::end_open;
    begin_tag(c);
  } else if (place_ == Place::tag_open && c == '/') {
    place_ = Place::end_open;
  } else if (place_ == Place::tag_open && c == '!') {
    place_ = Place::declaration;
    word_.clear();
  } else if (place_ == Place::tag_open && c == '?') {
    place_ = Place::bogus;
  } else if (place_ == Place::tag_open) {
    place_ = c == '<' ? Place::tag_open : Place::text;
  } else {
    place_ = c == '>' ? Place::text : Place::bogus;
  }
}

void HtmlContext::begin_tag(char c) {
  place_ = Place::tag_name;
  element_.assign(1, to_lower(c));
  type_.clear();
  is_known_script_ = true;
  is_self_closed_ = false;
}

void HtmlContext::read_tag(char c) {
  if (c == '>') return end_tag();
  if (is_html_space(c) || c == '/') {
    place_ = Place::in_tag;
    is_self_closed_ = c == '/';
  } else if (place_ == Place::in_tag) {
    begin_attribute(c);
  } else if (is_xml_ && c == ':') {
    // In XML the name behind the prefix counts.
    element_.clear();
  } else if (element_ == kUnknownElement) {
    place_ = Place::unknown;
  } else if (element_.size() < kLongestName) {
    element_ += to_lower(c);
  }
}

void HtmlContext::begin_attribute(char c) {
  place_ = Place::attribute_name;
  is_self_closed_ = false;
  word_.assign(1, to_lower(c));
}

// The name of the attribute, or the rest of the name, is not text of the template.
void HtmlContext::begin_unknown_attribute() {
  // Every name that begins so is harmless.
  const bool is_data =
      place_ == Place::attribute_name && (word_.starts_with("data-") || word_.starts_with("aria-"));
  if (!is_data) word_ = kUnknownName;
  place_ = Place::attribute_name;
  is_self_closed_ = false;
}

void HtmlContext::read_attribute(char c) {
  switch (place_) {
    case Place::attribute_name:
    case Place::after_name:
      if (c == '>') return end_tag();
      if (c == '=') {
        place_ = Place::before_value;
      } else if (c == '/') {
        place_ = Place::in_tag;
        is_self_closed_ = true;
      } else if (is_html_space(c)) {
        place_ = Place::after_name;
      } else if (place_ == Place::after_name) {
        begin_attribute(c);
      } else if (word_.size() < kLongestName) {
        word_ += to_lower(c);
      }
      return;
    case Place::before_value:
      if (is_html_space(c)) return;
      if (c == '>') return end_tag();
      begin_value(c == '"' || c == '\'' ? c : 0);
      if (quote_ == 0) read_value(c);
      return;
    case Place::quoted:
      if (c == quote_) return end_value();
      return read_value(c);
    default:
      if (is_html_space(c)) return end_value();
      if (c == '>') {
        end_value();
        return end_tag();
      }
      return read_value(c);
  }
}

void HtmlContext::begin_value(char quote) {
  place_ = quote ? Place::quoted : Place::unquoted;
  quote_ = quote;
  attribute_ = attribute_of(word_);
  url_ = Url::start;
  has_url_value_ = false;
  css_ = Css::code;
  script_ = {};
  word_.clear();
}

HtmlContext::Attribute HtmlContext::attribute_of(std::string_view name) const noexcept {
  if (name.starts_with(kUnknownName)) return Attribute::opaque;
  if (is_xml_) name.remove_prefix(name.rfind(':') + 1);
  if (name.starts_with("on")) return Attribute::script;
  if (is_in(kUrlAttributes, name)) return Attribute::url;
  if (name == "style") return Attribute::css;
  if (name == "srcdoc") return Attribute::opaque;
  if (name == "type" && element_ == "script") return Attribute::type;
  const bool is_animation = element_ == "set" || element_.starts_with("animate");
  // A list: each of its items may be a URL.
  if (is_animation && name == "values") return Attribute::css;
  return is_animation && is_in(kAnimated, name) ? Attribute::url : Attribute::plain;
}

void HtmlContext::end_value() {
  if (attribute_ == Attribute::type) {
    std::transform(type_.begin(), type_.end(), type_.begin(), to_lower);
    is_known_script_ = is_known_script_ && is_in(kScriptTypes, type_);
  }
  place_ = Place::in_tag;
  attribute_ = Attribute::plain;
  quote_ = 0;
  word_.clear();
  script_ = {};
}

void HtmlContext::end_tag() {
  place_ = Place::text;
  word_.clear();
  const bool is_foreign = element_ == "svg" || element_ == "math";
  // HTML ignores the `/` of its own elements.
  const bool is_empty = is_self_closed_ && (is_foreign || is_xml_ || foreign_ > 0);
  if (is_foreign && is_end_tag_ && foreign_ > 0) --foreign_;
  if (!is_end_tag_ && !is_empty) {
    if (is_foreign) ++foreign_;
    if (element_ == "script") place_ = Place::script;
    if (element_ == "style") place_ = Place::style;
    const bool is_text = element_ == "title" || element_ == "textarea";
    if (is_text && foreign_ == 0 && !is_xml_) place_ = Place::raw_text;
  }
  script_ = {};
  css_ = Css::code;
  is_end_tag_ = false;
  is_self_closed_ = false;
  if (place_ == Place::text) element_.clear();
}

void HtmlContext::read_declaration(char c) {
  if (place_ == Place::declaration) {
    word_ += c;
    if (word_ == "--") {
      place_ = Place::comment;
    } else if (word_ != "-") {
      place_ = c == '>' ? Place::text : Place::bogus;
    }
    return;
  }
  if (place_ == Place::bogus) {
    if (c == '>') place_ = Place::text;
    return;
  }
  // The characters since `<!`, or the last three.
  if (c == '>' && (word_.ends_with("--") || word_.ends_with("--!") || word_ == "---")) {
    place_ = Place::text;
    word_.clear();
    return;
  }
  if (word_.size() >= 3) word_.erase(0, 1);
  word_ += c;
}

// The text of a script, style, title or textarea element. word_ has its last characters.
void HtmlContext::read_element(char c) {
  if (has_ended_element(c)) return;
  if (place_ == Place::script) script_.read(c);
  if (place_ == Place::style) read_css(c);
}

bool HtmlContext::has_ended_element(char c) {
  // Without an element the file is a script or a style sheet.
  if (element_.empty()) return false;
  const bool is_end_of_name = is_html_space(c) || c == '/' || c == '>';
  if (is_end_of_name && word_.starts_with("</") && name_of_end() == element_) {
    is_end_tag_ = true;
    is_script_comment_ = false;
    place_ = Place::in_tag;
    word_.clear();
    read_tag(c);
    return true;
  }
  if (c == '<') {
    word_ = "<";
  } else if (is_end_of_name && word_ != "<") {
    word_.clear();
  } else if (!word_.empty()) {
    word_ += to_lower(c);
    if (word_.size() > kLongestEnd) word_.clear();
  }
  if (place_ != Place::script) return false;
  if (word_ == "<!--") is_script_comment_ = true;
  // The browser then looks for another end of the script (HTML, 4.12.1.3).
  if (is_script_comment_ && word_ == "<script") place_ = Place::unknown;
  return false;
}

// The name behind `</` in word_.
std::string_view HtmlContext::name_of_end() const noexcept {
  std::string_view name = std::string_view(word_).substr(2);
  if (is_xml_) name.remove_prefix(name.rfind(':') + 1);
  return name;
}

void HtmlContext::read_value(char c) {
  switch (attribute_) {
    case Attribute::script: return script_.read(c);
    case Attribute::url: return read_url(c);
    case Attribute::css: return read_css(c);
    case Attribute::type:
      if (type_.size() < kLongestName) type_ += c;
      return;
    default: return;
  }
}

void HtmlContext::read_url(char c) {
  if (url_ == Url::decided || url_ == Url::bad) return;
  if (c == '/' || c == '?' || c == '#') {
    url_ = Url::decided;
  } else if (c == ':') {
    if (url_ == Url::after_value && has_url_value_) has_value_scheme_ = true;
    url_ = url_ != Url::after_value && !is_script_scheme(word_) ? Url::decided : Url::bad;
  } else if (url_ != Url::after_value && !is_ignored_in_url(c)) {
    url_ = Url::prefix;
    if (word_.size() < kLongestName) word_ += to_lower(c);
  }
  if (url_ == Url::decided) word_.clear();
}

void HtmlContext::read_css(char c) {
  switch (css_) {
    case Css::slash:
      css_ = c == '*' ? Css::comment : Css::code;
      if (css_ == Css::code) read_css(c);
      return;
    case Css::comment:
    case Css::comment_star:
      if (c == '/' && css_ == Css::comment_star) {
        css_ = Css::code;
      } else {
        css_ = c == '*' ? Css::comment_star : Css::comment;
      }
      return;
    case Css::double_quoted:
      if (c == '"' || c == '\n') css_ = Css::code;
      return;
    case Css::single_quoted:
      if (c == '\'' || c == '\n') css_ = Css::code;
      return;
    case Css::url:
      if (c == ')') css_ = Css::code;
      return;
    case Css::code:
      if (c == '"') css_ = Css::double_quoted;
      if (c == '\'') css_ = Css::single_quoted;
      if (c == '/') css_ = Css::slash;
      // Functions such as url() and image(), whose contents are no words.
      if (c == '(') css_ = Css::url;
      return;
  }
}

HtmlContext::Decision HtmlContext::value(bool is_word) {
  switch (place_) {
    case Place::text: return {};
    case Place::comment: word_.clear(); return {.escape = TemplateEscape::comment};
    case Place::raw_text: word_.clear(); return {};
    case Place::quoted: return value_in_attribute(is_word);
    case Place::before_value:
    case Place::unquoted: return {.problem = "a value of an attribute needs quotes around it"};
    case Place::script:
      if (!is_known_script_) return {.problem = "a value cannot stand in a script element of this type"};
      word_.clear();
      return value_in_script(TemplateEscape::script);
    case Place::style: word_.clear(); return value_in_css();
    case Place::in_tag:
    case Place::attribute_name:
    case Place::after_name:
      if (is_word) {
        begin_unknown_attribute();
        return {};
      }
      return {.problem =
                  "a value cannot stand where a tag has the names of its attributes: use {% if %}, or put it "
                  "within the quotes of an attribute"};
    case Place::tag_open:
    case Place::end_open:
    case Place::tag_name: return {.problem = "a value cannot be the name of a tag"};
    case Place::declaration:
    case Place::bogus: return {.problem = "a value cannot stand in a declaration"};
    case Place::unknown:
      return {.problem =
                  "it is unknown where in the page this value stands: branches before it end at different "
                  "places, or a script has <!-- in it"};
  }
  return {};
}

HtmlContext::Decision HtmlContext::value_in_attribute(bool is_word) {
  const bool is_checked = attribute_ == Attribute::script || attribute_ == Attribute::css ||
                          (attribute_ == Attribute::url && url_ != Url::decided);
  if (is_reference_open_ && is_checked)
    return {.problem = "a value cannot follow an unfinished character reference"};
  switch (attribute_) {
    case Attribute::url: return value_in_url(is_word);
    case Attribute::script: return value_in_script(TemplateEscape::script_attribute);
    case Attribute::css: return value_in_css();
    case Attribute::opaque:
      return {
          .problem =
              "a value cannot stand in srcdoc, which is a page of its own, nor in an attribute whose name "
              "depends on a branch, a value or raw output"};
    case Attribute::type: is_known_script_ = false; return {};
    default: return {};
  }
}

HtmlContext::Decision HtmlContext::value_in_url(bool is_word) {
  if (url_ == Url::decided) return {};
  if (url_ == Url::bad)
    return {.problem = "a value cannot stand in a URL whose scheme is a script's, or a value's"};
  const TemplateEscape escape = url_ == Url::start ? TemplateEscape::url_start : TemplateEscape::url_rest;
  url_ = Url::after_value;
  has_url_value_ = has_url_value_ || !is_word;
  word_.clear();
  return {.escape = escape};
}

HtmlContext::Decision HtmlContext::value_in_script(TemplateEscape escape) {
  const char* const problem = script_.problem();
  if (!problem) script_.skip_value();
  return {.escape = escape, .problem = problem};
}

HtmlContext::Decision HtmlContext::value_in_css() const noexcept {
  if (css_ == Css::code) return {.escape = TemplateEscape::css};
  return {.problem = "a value cannot stand within a string, a function or a comment of a style"};
}

void HtmlContext::skip_raw() noexcept {
  is_reference_open_ = false;
  if (place_ == Place::before_value) begin_value(0);
  if (place_ == Place::tag_open || place_ == Place::end_open) {
    is_end_tag_ = place_ == Place::end_open;
    begin_tag(kRawElement);
  }
  if (is_between_attributes()) begin_unknown_attribute();
  // The output may be empty, so that what follows begins the URL.
  if (is_in_url() && url_ == Url::start) url_ = Url::prefix;
  if (place_ == Place::quoted || place_ == Place::script) script_.skip_value();
}

void HtmlContext::forget_details() noexcept {
  script_.forget_last();
  is_reference_open_ = false;
  if (is_in_url() && (url_ == Url::start || url_ == Url::prefix)) {
    url_ = Url::after_value;
    word_.clear();
  }
  if (place_ == Place::script || place_ == Place::style || place_ == Place::raw_text ||
      place_ == Place::comment)
    word_.clear();
}

void HtmlContext::begin_loop() noexcept {
  forget_details();
  // At the second time another name may stand before.
  if (place_ == Place::attribute_name || place_ == Place::after_name) word_ = kUnknownName;
}

bool HtmlContext::can_repeat(const HtmlContext& end, bool begins_apart) const {
  if (end.is_unreachable_) return true;
  if (!is_same_place(end)) return false;
  const bool is_name_joined = end.place_ == Place::attribute_name && place_ != Place::attribute_name;
  const bool is_scheme_joined = end.is_in_url() && end.url_ == Url::bad && end.has_url_value_;
  return (begins_apart || !is_name_joined) && (url_ == Url::bad || !is_scheme_joined);
}

void HtmlContext::merge(const HtmlContext& other) {
  if (other.is_unreachable_ || *this == other) return;
  if (is_unreachable_) {
    *this = other;
    return;
  }
  if (!is_same_place(other)) {
    place_ = Place::unknown;
    return;
  }
  if (is_between_attributes() && (place_ != other.place_ || word_ != other.word_)) {
    // The next characters may belong to the name.
    const bool is_open = place_ == Place::attribute_name || other.place_ == Place::attribute_name;
    place_ = is_open ? Place::attribute_name : Place::after_name;
    word_ = kUnknownName;
  }
  const bool is_bad = url_ == Url::bad || other.url_ == Url::bad;
  const bool is_decided = url_ == Url::decided && other.url_ == Url::decided;
  ScriptContext script = script_;
  script.merge(other.script_);
  forget_details();
  script_ = script;
  if (element_ != other.element_) element_ = kUnknownElement;
  is_self_closed_ = is_self_closed_ && other.is_self_closed_;
  has_url_value_ = has_url_value_ || other.has_url_value_;
  is_known_script_ = is_known_script_ && other.is_known_script_;
  is_reference_open_ = is_reference_open_ || other.is_reference_open_;
  is_script_comment_ = is_script_comment_ || other.is_script_comment_;
  if (is_in_url()) url_ = is_bad ? Url::bad : is_decided ? Url::decided : Url::after_value;
}

bool HtmlContext::is_in_url() const noexcept {
  return place_ == Place::quoted && attribute_ == Attribute::url;
}

bool HtmlContext::is_between_attributes() const noexcept {
  return place_ == Place::in_tag || place_ == Place::attribute_name || place_ == Place::after_name;
}

// Without what may differ between branches.
HtmlContext HtmlContext::comparable() const {
  HtmlContext context = *this;
  context.forget_details();
  context.script_ = {};
  context.is_known_script_ = true;
  context.is_reference_open_ = false;
  context.is_script_comment_ = false;
  context.has_url_value_ = false;
  context.url_ = Url::start;
  if (!is_special_element(element_)) context.element_.clear();
  if (context.element_.empty() || (!is_xml_ && foreign_ == 0 && element_ != "svg" && element_ != "math"))
    context.is_self_closed_ = false;
  if (is_between_attributes()) context.place_ = Place::in_tag;
  if (is_between_attributes() || is_in_url() || place_ == Place::text) context.word_.clear();
  if (place_ != Place::quoted && place_ != Place::style) context.css_ = Css::code;
  return context;
}

bool HtmlContext::is_same_place(const HtmlContext& other) const {
  if (is_unreachable_ || other.is_unreachable_) return true;
  ScriptContext script = script_;
  return script.merge(other.script_) && comparable() == other.comparable();
}

}  // namespace squall::web::detail
