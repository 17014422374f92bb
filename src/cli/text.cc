#include "cli/text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace glaive::cli {

namespace {

constexpr int64_t kSecondsPerDay = 86400;

struct Split {
  int64_t whole;
  int64_t rest;
};

// Division towards minus infinity, so that the rest is never negative.
Split FloorDivide(int64_t value, int64_t by) {
  int64_t whole = value / by;
  int64_t rest = value % by;
  if (rest < 0) {
    whole -= 1;
    rest += by;
  }
  return {whole, rest};
}

void AppendPadded(uint64_t value, int digits, std::string* out) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  for (auto have = end - buffer; have < digits; ++have) {
    out->push_back('0');
  }
  out->append(buffer, end);
}

void AppendFraction(uint64_t rest, int64_t units_per_second, std::string* out) {
  if (units_per_second > 1) {
    const int digits = units_per_second == 1000 ? 3 : units_per_second == 1000000 ? 6 : 9;
    out->push_back('.');
    AppendPadded(rest, digits, out);
  }
}

template <typename T>
void AppendFloating(T value, std::string* out) {
  if (std::isnan(value)) {
    out->append("NaN");
  } else if (std::isinf(value)) {
    out->append(value > 0 ? "Infinity" : "-Infinity");
  } else {
    char buffer[64];
    out->append(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value).ptr);
  }
}

constexpr bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

char32_t Decode(std::string_view sequence) {
  const auto byte = [&](size_t i) { return char32_t{static_cast<unsigned char>(sequence[i])}; };
  switch (sequence.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
    case 3:
      return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    default:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 |
             (byte(3) & 0x3F);
  }
}

size_t CellsOf(char32_t c) {
  if ((c >= 0x300 && c <= 0x36F) || c == 0x200B || c == 0x200D || (c >= 0xFE00 && c <= 0xFE0F)) {
    return 0;
  }
  const bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
                    (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
                    (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
                    (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) ||
                    (c >= 0x20000 && c <= 0x3FFFD);
  return wide ? 2 : 1;
}

// Calls visit(bytes, cells) for each character until it returns false.
template <typename Visit>
void ForEachCharacter(std::string_view text, Visit&& visit) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text.substr(at));
    const size_t bytes = length == 0 ? 1 : length;
    const size_t cells = length == 0 ? 1 : CellsOf(Decode(text.substr(at, bytes)));
    if (!visit(bytes, cells)) {
      return;
    }
    at += bytes;
  }
}

}  // namespace

size_t Utf8Length(std::string_view text) {
  if (text.empty()) {
    return 0;
  }
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) {
    return 1;
  }
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) {
    return 0;
  }
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) {
      return 0;
    }
  }
  const char32_t c = Decode(text.substr(0, length));
  const bool overlong = (length == 3 && c < 0x800) || (length == 4 && c < 0x10000);
  const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
  return overlong || surrogate || c > 0x10FFFF ? 0 : length;
}

void AppendJsonString(std::string_view text, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  size_t clean = 0;  // start of the bytes that can be copied as they are
  size_t at = 0;
  const auto flush = [&] { out->append(text.substr(clean, at - clean)); };
  while (at < text.size()) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
      ++at;
      continue;
    }
    if (c >= 0x80) {
      if (const size_t length = Utf8Length(text.substr(at)); length > 0) {
        at += length;
        continue;
      }
    }
    flush();
    if (c >= 0x80) {
      out->append("\xEF\xBF\xBD");
    } else if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(static_cast<char>(c));
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out->append(c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    } else {
      out->append("\\u00");
      out->push_back(kHex[c >> 4]);
      out->push_back(kHex[c & 15]);
    }
    clean = ++at;
  }
  flush();
  out->push_back('"');
}

void AppendBase64(std::string_view bytes, std::string* out) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto byte = [&](size_t i) {
    return i < bytes.size() ? uint32_t{static_cast<unsigned char>(bytes[i])} : 0u;
  };
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    out->push_back(kDigits[group >> 18]);
    out->push_back(kDigits[group >> 12 & 63]);
    out->push_back(i + 1 < bytes.size() ? kDigits[group >> 6 & 63] : '=');
    out->push_back(i + 2 < bytes.size() ? kDigits[group & 63] : '=');
  }
}

void AppendFloat(float value, std::string* out) {
  AppendFloating(value, out);
}

void AppendDouble(double value, std::string* out) {
  AppendFloating(value, out);
}

void AppendInt(int64_t value, std::string* out) {
  char buffer[24];
  out->append(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value).ptr);
}

void AppendUnsigned(uint64_t value, std::string* out) {
  AppendPadded(value, 1, out);
}

void AppendDate(int64_t days, std::string* out) {
  // Days are counted in eras of 400 years (146,097 days) that begin on 1 March, so that the leap
  // day is the last day of a year.
  const auto [era, day_of_era] = FloorDivide(days + 719468, 146097);
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  if (year < 0 || year > 9999) {
    out->push_back(year < 0 ? '-' : '+');
  }
  AppendPadded(static_cast<uint64_t>(year < 0 ? -year : year), year < 0 || year > 9999 ? 6 : 4,
               out);
  out->push_back('-');
  AppendPadded(static_cast<uint64_t>(month), 2, out);
  out->push_back('-');
  AppendPadded(static_cast<uint64_t>(day), 2, out);
}

void AppendTimeOfDay(int64_t value, int64_t units_per_second, std::string* out) {
  if (value < 0) {  // no time of day, but what the column holds must be visible
    out->push_back('-');
  }
  const uint64_t magnitude =
      value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  const auto units = static_cast<uint64_t>(units_per_second);
  const uint64_t seconds = magnitude / units;
  AppendPadded(seconds / 3600, 2, out);
  out->push_back(':');
  AppendPadded(seconds / 60 % 60, 2, out);
  out->push_back(':');
  AppendPadded(seconds % 60, 2, out);
  AppendFraction(magnitude % units, units_per_second, out);
}

void AppendTimestamp(int64_t value, int64_t units_per_second, std::string* out) {
  const auto [seconds, fraction] = FloorDivide(value, units_per_second);
  const auto [days, second_of_day] = FloorDivide(seconds, kSecondsPerDay);
  AppendDate(days, out);
  out->push_back('T');
  AppendTimeOfDay(second_of_day * units_per_second + fraction, units_per_second, out);
}

void AppendDuration(int64_t value, int64_t units_per_second, std::string* out) {
  const uint64_t magnitude =
      value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  const auto units = static_cast<uint64_t>(units_per_second);
  out->append(value < 0 ? "-PT" : "PT");
  AppendPadded(magnitude / units, 1, out);
  if (magnitude % units != 0) {
    AppendFraction(magnitude % units, units_per_second, out);
    while (out->back() == '0') {
      out->pop_back();
    }
  }
  out->push_back('S');
}

std::string WithThousands(uint64_t value) {
  std::string digits = std::to_string(value);
  for (size_t at = digits.size(); at > 3; at -= 3) {
    digits.insert(at - 3, ",");
  }
  return digits;
}

std::string HumanBytes(uint64_t bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  auto value = static_cast<double>(bytes);
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  char buffer[48];
  std::snprintf(buffer, sizeof(buffer), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return buffer;
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  ForEachCharacter(text, [&](size_t, size_t cells) {
    width += cells;
    return true;
  });
  return width;
}

size_t PrefixOfWidth(std::string_view text, size_t cells) {
  size_t taken_bytes = 0;
  size_t taken_cells = 0;
  ForEachCharacter(text, [&](size_t bytes, size_t more) {
    if (taken_cells + more > cells) {
      return false;
    }
    taken_bytes += bytes;
    taken_cells += more;
    return true;
  });
  return taken_bytes;
}

}  // namespace glaive::cli
