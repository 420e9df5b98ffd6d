#include <squall/web/escape/squeeze.h>

namespace squall::web {

std::string squeeze(std::string_view text) {
  std::string squeezed;
  squeezed.reserve(text.size());
  bool is_behind_blank = false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20) {
      is_behind_blank = true;
      continue;
    }
    if (is_behind_blank && !squeezed.empty()) squeezed += ' ';
    is_behind_blank = false;
    squeezed += c;
  }
  return squeezed;
}

}  // namespace squall::web
