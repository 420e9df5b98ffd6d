#include <squall/web/locale/locale_names.h>

#include <algorithm>
#include <iterator>

namespace squall::web::detail {
namespace {

struct KnownLocale {
  std::string_view code;
  std::string_view name;
};

// The languages' own names, as in CLDR, with the capital letter of a menu. Sorted by code.
constexpr KnownLocale kKnown[] = {
    {"af", "Afrikaans"},
    {"am", "አማርኛ"},
    {"ar", "العربية"},
    {"az", "Azərbaycan"},
    {"be", "Беларуская"},
    {"bg", "Български"},
    {"bn", "বাংলা"},
    {"bs", "Bosanski"},
    {"ca", "Català"},
    {"cs", "Čeština"},
    {"cy", "Cymraeg"},
    {"da", "Dansk"},
    {"de", "Deutsch"},
    {"de_AT", "Deutsch (Österreich)"},
    {"de_CH", "Deutsch (Schweiz)"},
    {"de_DE", "Deutsch (Deutschland)"},
    {"el", "Ελληνικά"},
    {"en", "English"},
    {"en_AU", "English (Australia)"},
    {"en_CA", "English (Canada)"},
    {"en_GB", "English (United Kingdom)"},
    {"en_IN", "English (India)"},
    {"en_US", "English (United States)"},
    {"eo", "Esperanto"},
    {"es", "Español"},
    {"es_AR", "Español (Argentina)"},
    {"es_ES", "Español (España)"},
    {"es_MX", "Español (México)"},
    {"et", "Eesti"},
    {"eu", "Euskara"},
    {"fa", "فارسی"},
    {"fi", "Suomi"},
    {"fil", "Filipino"},
    {"fr", "Français"},
    {"fr_BE", "Français (Belgique)"},
    {"fr_CA", "Français (Canada)"},
    {"fr_CH", "Français (Suisse)"},
    {"fr_FR", "Français (France)"},
    {"ga", "Gaeilge"},
    {"gl", "Galego"},
    {"he", "עברית"},
    {"hi", "हिन्दी"},
    {"hr", "Hrvatski"},
    {"hu", "Magyar"},
    {"hy", "Հայերեն"},
    {"id", "Indonesia"},
    {"is", "Íslenska"},
    {"it", "Italiano"},
    {"it_IT", "Italiano (Italia)"},
    {"ja", "日本語"},
    {"ja_JP", "日本語 (日本)"},
    {"ka", "ქართული"},
    {"kk", "Қазақ тілі"},
    {"ko", "한국어"},
    {"ko_KR", "한국어(대한민국)"},
    {"lt", "Lietuvių"},
    {"lv", "Latviešu"},
    {"mk", "Македонски"},
    {"ml", "മലയാളം"},
    {"mn", "Монгол"},
    {"ms", "Melayu"},
    {"nb", "Norsk bokmål"},
    {"nl", "Nederlands"},
    {"nl_BE", "Nederlands (België)"},
    {"nl_NL", "Nederlands (Nederland)"},
    {"nn", "Norsk nynorsk"},
    {"pa", "ਪੰਜਾਬੀ"},
    {"pl", "Polski"},
    {"pl_PL", "Polski (Polska)"},
    {"ps", "پښتو"},
    {"pt", "Português"},
    {"pt_BR", "Português (Brasil)"},
    {"pt_PT", "Português (Portugal)"},
    {"ro", "Română"},
    {"ru", "Русский"},
    {"ru_RU", "Русский (Россия)"},
    {"sk", "Slovenčina"},
    {"sl", "Slovenščina"},
    {"sq", "Shqip"},
    {"sr", "Српски"},
    {"sv", "Svenska"},
    {"sv_SE", "Svenska (Sverige)"},
    {"sw", "Kiswahili"},
    {"ta", "தமிழ்"},
    {"te", "తెలుగు"},
    {"th", "ไทย"},
    {"tl", "Tagalog"},
    {"tr", "Türkçe"},
    {"tr_TR", "Türkçe (Türkiye)"},
    {"uk", "Українська"},
    {"ur", "اردو"},
    {"vi", "Tiếng Việt"},
    {"yi", "ייִדיש"},
    {"zh", "中文"},
    {"zh_CN", "简体中文"},
    {"zh_HK", "繁體中文（香港）"},
    {"zh_TW", "繁體中文"},
};
static_assert(std::is_sorted(std::begin(kKnown), std::end(kKnown),
                             [](const KnownLocale& a, const KnownLocale& b) { return a.code < b.code; }));

constexpr std::string_view kRightToLeft[] = {"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"};

}  // namespace

std::string_view locale_name(std::string_view code) noexcept {
  const auto* const found =
      std::lower_bound(std::begin(kKnown), std::end(kKnown), code,
                       [](const KnownLocale& known, std::string_view wanted) { return known.code < wanted; });
  return found != std::end(kKnown) && found->code == code ? found->name : "Unknown";
}

bool is_right_to_left(std::string_view code) noexcept {
  const std::string_view language = code.substr(0, code.find('_'));
  return std::find(std::begin(kRightToLeft), std::end(kRightToLeft), language) != std::end(kRightToLeft);
}

}  // namespace squall::web::detail
