#pragma once

#include <squall/web/locale/date_options.h>
#include <squall/web/locale/locale.h>
#include <squall/web/locale/locale_data.h>

#include <chrono>
#include <string>

namespace squall::web::detail {

// See Locale::format_date() and format_day(). `data` belongs to `locale`.
std::string format_date(const Locale& locale, const LocaleData& data,
                        std::chrono::system_clock::time_point date, const DateOptions& options);
std::string format_day(const LocaleData& data, std::chrono::system_clock::time_point date,
                       const DayOptions& options);

}  // namespace squall::web::detail
