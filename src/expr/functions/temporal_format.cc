#include "expr/functions/temporal_format.h"

#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace glaive::expr {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::string_view kOfDate = "YCymbBhdeaAwuUWGgVjDxFvcsq";
constexpr std::string_view kOfTime = "HkIlPpMSfRTXrcs";
constexpr std::string_view kOfZone = "zZ";

// Items that stand for others.
std::string_view Expand(char kind) {
  switch (kind) {
    case 'D':
    case 'x':
      return "%m/%d/%y";
    case 'F':
      return "%Y-%m-%d";
    case 'v':
      return "%e-%b-%Y";
    case 'R':
      return "%H:%M";
    case 'T':
    case 'X':
      return "%H:%M:%S";
    case 'r':
      return "%I:%M:%S %p";
    case 'c':
      return "%a %b %e %H:%M:%S %Y";
    case '+':
      return "%Y-%m-%dT%H:%M:%S%.f%:z";
    default:
      return {};
  }
}

void AppendNumber(int64_t value, int width, char pad, std::string* out) {
  const auto bits = static_cast<uint64_t>(value);
  std::string digits = std::to_string(value < 0 ? uint64_t{0} - bits : bits);
  const auto wanted = static_cast<size_t>(pad == '-' ? 0 : width);
  if (digits.size() < wanted) digits.insert(0, wanted - digits.size(), pad == '_' ? ' ' : '0');
  if (value < 0) out->push_back('-');
  out->append(digits);
}

void AppendOffset(int64_t seconds, int colons, std::string* out) {
  out->push_back(seconds < 0 ? '-' : '+');
  const int64_t size = seconds < 0 ? -seconds : seconds;
  AppendNumber(size / 3600, 2, '0', out);
  if (colons == 3) return;
  if (colons > 0) out->push_back(':');
  AppendNumber(size / 60 % 60, 2, '0', out);
  if (colons == 2) {
    out->push_back(':');
    AppendNumber(size % 60, 2, '0', out);
  }
}

// With as few of 3, 6 or 9 digits as are exact, unless a number of digits is asked for.
void AppendFraction(int64_t nanos, int digits, bool point, std::string* out) {
  if (digits < 0) {
    digits = 9;
    if (point) digits = nanos == 0 ? 0 : nanos % 1'000'000 == 0 ? 3 : nanos % 1000 == 0 ? 6 : 9;
  }
  if (digits == 0) return;
  char text[16];
  std::snprintf(text, sizeof(text), "%09lld", static_cast<long long>(nanos));
  if (point) out->push_back('.');
  out->append(text, static_cast<size_t>(digits));
}

// Weeks of a year that begin at the first such weekday.
int WeekFrom(int64_t days, int first_weekday) {
  return (DayOfYear(days) - 1 + 7 -
          static_cast<int>(FloorModulo(WeekdayOf(days) - first_weekday, 7))) /
         7;
}

void AppendDateItem(char kind, char pad, int64_t days, std::string* out) {
  const Civil date = CivilOf(days);
  const IsoWeek iso = IsoWeekOf(days);
  const auto name = [&](std::string_view full) { out->append(full); };
  const auto number = [&](int64_t value, int width, char usual) {
    AppendNumber(value, width, pad != 0 ? pad : usual, out);
  };
  const auto weekday = static_cast<size_t>(WeekdayOf(days));
  const auto month = static_cast<size_t>(date.month - 1);
  switch (kind) {
    case 'Y':
      return number(date.year, 4, '0');
    case 'C':
      return number(FloorDivide(date.year, 100), 2, '0');
    case 'y':
      return number(FloorModulo(date.year, 100), 2, '0');
    case 'm':
      return number(date.month, 2, '0');
    case 'b':
    case 'h':
      return name(kMonths[month].substr(0, 3));
    case 'B':
      return name(kMonths[month]);
    case 'd':
      return number(date.day, 2, '0');
    case 'e':
      return number(date.day, 2, '_');
    case 'a':
      return name(kDays[weekday].substr(0, 3));
    case 'A':
      return name(kDays[weekday]);
    case 'w':
      return number(WeekdayOf(days), 1, '0');
    case 'u':
      return number((WeekdayOf(days) + 6) % 7 + 1, 1, '0');
    case 'U':
      return number(WeekFrom(days, 0), 2, '0');
    case 'W':
      return number(WeekFrom(days, 1), 2, '0');
    case 'G':
      return number(iso.year, 4, '0');
    case 'g':
      return number(FloorModulo(iso.year, 100), 2, '0');
    case 'V':
      return number(iso.week, 2, '0');
    case 'j':
      return number(DayOfYear(days), 3, '0');
    default:
      return number((date.month + 2) / 3, 1, '0');
  }
}

void AppendTimeItem(char kind, char pad, int64_t nanos, std::string* out) {
  const int64_t second = nanos / kNanosPerSecond;
  const int64_t hour = second / 3600;
  const auto number = [&](int64_t value, char usual) {
    AppendNumber(value, 2, pad != 0 ? pad : usual, out);
  };
  switch (kind) {
    case 'H':
      return number(hour, '0');
    case 'k':
      return number(hour, '_');
    case 'I':
      return number((hour + 11) % 12 + 1, '0');
    case 'l':
      return number((hour + 11) % 12 + 1, '_');
    case 'p':
      out->append(hour < 12 ? "AM" : "PM");
      return;
    case 'P':
      out->append(hour < 12 ? "am" : "pm");
      return;
    case 'M':
      return number(second / 60 % 60, '0');
    default:
      return number(second % 60, '0');
  }
}

}  // namespace

arrow::Result<TimeFormat> TimeFormat::Parse(std::string_view pattern, std::string_view function) {
  TimeFormat out;
  out.function_ = function;
  const auto add_text = [&](std::string_view text) {
    if (out.items_.empty() || out.items_.back().kind != 0) out.items_.emplace_back();
    out.items_.back().text += text;
  };
  GLAIVE_CHECK_ARGUMENT(pattern.size() <= 4096, function, ": the format has ", pattern.size(),
                        " bytes, the limit is 4096");
  for (size_t at = 0; at < pattern.size();) {
    if (pattern[at] != '%') {
      add_text(pattern.substr(at++, 1));
      continue;
    }
    const size_t begin = at++;
    Item item;
    const auto peek = [&]() { return at < pattern.size() ? pattern[at] : '\0'; };
    if (peek() == '-' || peek() == '_' || peek() == '0') item.pad = pattern[at++];
    if (peek() == '.') {
      item.point = true;
      ++at;
    }
    while (peek() == ':' && item.colons < 3) {
      ++item.colons;
      ++at;
    }
    if (peek() == '#') ++at;
    if (peek() == '3' || peek() == '6' || peek() == '9') item.digits = pattern[at++] - '0';
    item.kind = peek();
    if (at < pattern.size()) ++at;
    const bool plain = item.digits < 0 && !item.point && item.colons == 0;
    if (plain && (item.kind == '%' || item.kind == 'n' || item.kind == 't')) {
      add_text(item.kind == '%' ? "%" : item.kind == 'n' ? "\n" : "\t");
      continue;
    }
    if (const std::string_view longer = Expand(item.kind); plain && !longer.empty()) {
      ARROW_ASSIGN_OR_RAISE(TimeFormat inner, Parse(longer, function));
      for (Item& part : inner.items_) out.items_.push_back(std::move(part));
      continue;
    }
    const bool known = item.kind != '\0' && (kOfDate.find(item.kind) != std::string_view::npos ||
                                             kOfTime.find(item.kind) != std::string_view::npos ||
                                             kOfZone.find(item.kind) != std::string_view::npos);
    if (!known || (!plain && item.kind != 'f' && item.kind != 'z')) {
      return InvalidArgument(function, ": format item '", pattern.substr(begin, at - begin),
                             "' at ", begin + 1, " is unknown");
    }
    out.items_.push_back(std::move(item));
  }
  return out;
}

arrow::Status TimeFormat::Append(const Shown& shown, std::string* out) const {
  for (const Item& item : items_) {
    const bool date = kOfDate.find(item.kind) != std::string_view::npos;
    const bool time = kOfTime.find(item.kind) != std::string_view::npos;
    if (item.kind == 0) {
      out->append(item.text);
    } else if (item.kind == 's' && shown.has_date) {
      const __int128 seconds = static_cast<__int128>(shown.wall.days) * kSecondsPerDay +
                               shown.wall.nanos / kNanosPerSecond -
                               shown.offset_seconds.value_or(0);
      AppendNumber(static_cast<int64_t>(seconds), 0, '-', out);
    } else if (item.kind == 'f' && shown.has_time) {
      AppendFraction(shown.wall.nanos % kNanosPerSecond, item.digits, item.point, out);
    } else if (date && item.kind != 's' && shown.has_date) {
      AppendDateItem(item.kind, item.pad, shown.wall.days, out);
    } else if (time && item.kind != 's' && shown.has_time) {
      AppendTimeItem(item.kind, item.pad, shown.wall.nanos, out);
    } else if ((item.kind == 'z' || item.kind == 'Z') && shown.offset_seconds.has_value()) {
      AppendOffset(*shown.offset_seconds, item.kind == 'Z' ? 1 : item.colons, out);
    } else {
      return InvalidArgument(function_, ": format item '%", std::string(1, item.kind),
                             "' asks for what the value does not have");
    }
  }
  return arrow::Status::OK();
}

namespace {

// Reads a text item by item.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool Literal(std::string_view wanted) {
    for (size_t at = 0; at < wanted.size(); ++at) {
      if (std::isspace(static_cast<unsigned char>(wanted[at])) != 0) {
        SkipBlanks();
      } else if (rest_.empty() || rest_.front() != wanted[at]) {
        return false;
      } else {
        rest_.remove_prefix(1);
      }
    }
    return true;
  }

  bool Number(int most, int64_t* value, bool sign = false) {
    SkipBlanks();
    const bool negative = sign && !rest_.empty() && rest_.front() == '-';
    if (negative || (sign && !rest_.empty() && rest_.front() == '+')) rest_.remove_prefix(1);
    int count = 0;
    for (*value = 0; count < most && Digit(); ++count) {
      *value = *value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    if (negative) *value = -*value;
    return count > 0;
  }

  bool Fraction(int digits, int64_t* nanos) {
    int count = 0;
    for (*nanos = 0; Digit() && (digits < 0 || count < digits); ++count) {
      if (count < 9) *nanos = *nanos * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    for (int i = count; i < 9; ++i) *nanos *= 10;
    return count > 0;
  }

  // Index of the name, full or of three letters, that the text goes on with.
  template <size_t N>
  bool Name(const std::array<std::string_view, N>& names, int64_t* index) {
    for (size_t i = 0; i < N; ++i) {
      if (TakeWord(names[i]) || TakeWord(names[i].substr(0, 3))) {
        *index = static_cast<int64_t>(i);
        return true;
      }
    }
    return false;
  }

  bool TakeWord(std::string_view word) {
    if (rest_.size() < word.size()) return false;
    for (size_t i = 0; i < word.size(); ++i) {
      if ((rest_[i] | 0x20) != (word[i] | 0x20)) return false;
    }
    rest_.remove_prefix(word.size());
    return true;
  }

  bool Offset(int64_t* seconds) {
    SkipBlanks();
    if (TakeWord("Z")) {
      *seconds = 0;
      return true;
    }
    if (rest_.empty() || (rest_.front() != '+' && rest_.front() != '-')) return false;
    const int64_t sign = rest_.front() == '-' ? -1 : 1;
    rest_.remove_prefix(1);
    int64_t hours = 0;
    int64_t minutes = 0;
    if (!Number(2, &hours)) return false;
    if (!rest_.empty() && rest_.front() == ':') rest_.remove_prefix(1);
    if (Digit() && !Number(2, &minutes)) return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
  }

  std::string Zone() {
    size_t end = 0;
    while (end < rest_.size() && rest_[end] != ' ') ++end;
    std::string out(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return out;
  }

  bool TakePoint() { return TakeWord("."); }

  bool AtEnd() const { return rest_.empty(); }

 private:
  bool Digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }

  void SkipBlanks() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())) != 0) {
      rest_.remove_prefix(1);
    }
  }

  std::string_view rest_;
};

// The parts that were read.
struct Parts {
  std::optional<int64_t> year, short_year, century, month, day, of_year, iso_year, iso_week,
      weekday;
  std::optional<int64_t> stamp;
  std::optional<bool> afternoon;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t nanos = 0;
  bool twelve = false;
};

std::optional<int64_t> DaysFrom(const Parts& parts) {
  std::optional<int64_t> year = parts.year;
  if (!year && parts.short_year) {
    year = parts.century ? *parts.century * 100 + *parts.short_year
                         : *parts.short_year + (*parts.short_year < 70 ? 2000 : 1900);
  }
  if (year && (*year > 262'142 || *year < -262'143)) return std::nullopt;
  if (year && parts.month && parts.day) {
    const int month = static_cast<int>(*parts.month);
    const int day = static_cast<int>(*parts.day);
    if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(*year, month)) return std::nullopt;
    return DaysOf(*year, month, day);
  }
  if (year && parts.of_year) {
    const int64_t days = DaysOf(*year, 1, 1) + *parts.of_year - 1;
    return *parts.of_year >= 1 && CivilOf(days).year == *year ? std::optional(days) : std::nullopt;
  }
  if (parts.iso_year && parts.iso_week && parts.weekday) {
    const int64_t fourth = DaysOf(*parts.iso_year, 1, 4);
    const int64_t monday = fourth - FloorModulo(fourth + 3, 7);
    const int64_t days = monday + (*parts.iso_week - 1) * 7 + *parts.weekday - 1;
    const IsoWeek told = IsoWeekOf(days);
    return told.year == *parts.iso_year && told.week == *parts.iso_week ? std::optional(days)
                                                                        : std::nullopt;
  }
  return std::nullopt;
}

bool ReadItem(char kind, Reader* in, Parts* parts, Told* out) {
  int64_t value = 0;
  const auto number = [&](int most, std::optional<int64_t>* field, bool sign = false) {
    if (!in->Number(most, &value, sign)) return false;
    *field = value;
    return true;
  };
  switch (kind) {
    case 'Y':
      return number(4, &parts->year, true);
    case 'C':
      return number(2, &parts->century);
    case 'y':
      return number(2, &parts->short_year);
    case 'm':
      return number(2, &parts->month);
    case 'd':
    case 'e':
      return number(2, &parts->day);
    case 'j':
      return number(3, &parts->of_year);
    case 'G':
      return number(4, &parts->iso_year, true);
    case 'V':
      return number(2, &parts->iso_week);
    case 'u':
      return number(1, &parts->weekday);
    case 's':
      return number(18, &parts->stamp, true);
    case 'w':
    case 'q':
      return in->Number(1, &value);
    case 'U':
    case 'W':
    case 'g':
      return in->Number(2, &value);
    case 'b':
    case 'B':
    case 'h':
      if (!in->Name(kMonths, &value)) return false;
      parts->month = value + 1;
      return true;
    case 'a':
    case 'A':
      return in->Name(kDays, &value);
    case 'H':
    case 'k':
      return in->Number(2, &parts->hour);
    case 'I':
    case 'l':
      parts->twelve = true;
      return in->Number(2, &parts->hour) && parts->hour >= 1 && parts->hour <= 12;
    case 'M':
      return in->Number(2, &parts->minute);
    case 'S':
      return in->Number(2, &parts->second);
    case 'p':
    case 'P':
      parts->afternoon = in->TakeWord("PM");
      return *parts->afternoon || in->TakeWord("AM");
    case 'z':
      if (!in->Offset(&value)) return false;
      out->offset_seconds = value;
      return true;
    default:
      out->zone = in->Zone();
      return !out->zone.empty();
  }
}

}  // namespace

std::optional<Told> TimeFormat::Read(std::string_view text) const {
  Reader in(text);
  Parts parts;
  Told out;
  for (const Item& item : items_) {
    if (item.kind == 0) {
      if (!in.Literal(item.text)) return std::nullopt;
    } else if (item.kind == 'f') {
      // %.f may be missing as a whole.
      if (item.point && !in.TakePoint()) continue;
      if (!in.Fraction(item.digits, &parts.nanos)) return std::nullopt;
    } else if (!ReadItem(item.kind, &in, &parts, &out)) {
      return std::nullopt;
    }
  }
  if (!in.AtEnd()) return std::nullopt;
  if (parts.stamp.has_value()) {
    out.seconds = *parts.stamp;
    out.nanos = parts.nanos;
    out.has_date = true;
    return out;
  }
  // A 24-hour clock keeps its hour whatever stands behind it.
  if (parts.twelve) parts.hour = parts.hour % 12 + (parts.afternoon.value_or(false) ? 12 : 0);
  if (parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
  out.seconds = parts.hour * 3600 + parts.minute * 60 + parts.second;
  out.nanos = parts.nanos;
  if (const auto days = DaysFrom(parts); days.has_value()) {
    out.seconds += *days * kSecondsPerDay;
    out.has_date = true;
  }
  return out;
}

}  // namespace glaive::expr
