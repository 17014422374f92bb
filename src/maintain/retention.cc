#include "maintain/retention.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace glaive::maintain {

namespace {

constexpr char kInterval[] = "lance.auto_cleanup.interval";
constexpr char kOlderThan[] = "lance.auto_cleanup.older_than";
constexpr char kRetainVersions[] = "lance.auto_cleanup.retain_versions";

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDay = 24 * 3600 * kSecond;

/// Names of units; a month is 30.44 days and a year 365.25, as the other writers have it.
constexpr std::pair<std::string_view, int64_t> kUnits[] = {{"ns", 1},
                                                           {"nsec", 1},
                                                           {"us", 1'000},
                                                           {"usec", 1'000},
                                                           {"ms", 1'000'000},
                                                           {"msec", 1'000'000},
                                                           {"s", kSecond},
                                                           {"sec", kSecond},
                                                           {"second", kSecond},
                                                           {"secs", kSecond},
                                                           {"seconds", kSecond},
                                                           {"m", 60 * kSecond},
                                                           {"min", 60 * kSecond},
                                                           {"mins", 60 * kSecond},
                                                           {"minute", 60 * kSecond},
                                                           {"minutes", 60 * kSecond},
                                                           {"h", 3600 * kSecond},
                                                           {"hr", 3600 * kSecond},
                                                           {"hrs", 3600 * kSecond},
                                                           {"hour", 3600 * kSecond},
                                                           {"hours", 3600 * kSecond},
                                                           {"d", kDay},
                                                           {"day", kDay},
                                                           {"days", kDay},
                                                           {"w", 7 * kDay},
                                                           {"week", 7 * kDay},
                                                           {"weeks", 7 * kDay},
                                                           {"M", 2'630'016 * kSecond},
                                                           {"month", 2'630'016 * kSecond},
                                                           {"months", 2'630'016 * kSecond},
                                                           {"y", 31'557'600 * kSecond},
                                                           {"year", 31'557'600 * kSecond},
                                                           {"years", 31'557'600 * kSecond}};

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()
             ? std::optional<uint64_t>(number)
             : std::nullopt;
}

std::optional<std::string> Key(const table::Manifest& manifest, const char* name) {
  const auto at = manifest.pb.config().find(name);
  return at == manifest.pb.config().end() ? std::nullopt : std::optional<std::string>(at->second);
}

}  // namespace

std::optional<int64_t> ParseDuration(std::string_view text) {
  int64_t total = 0;
  bool any = false;
  const auto skip = [&text](auto wanted) {
    size_t length = 0;
    while (length < text.size() && wanted(text[length])) {
      ++length;
    }
    const std::string_view skipped = text.substr(0, length);
    text.remove_prefix(length);
    return skipped;
  };
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  for (skip(is_space); !text.empty(); skip(is_space)) {
    const auto number = ParseNumber(skip([](char c) { return c >= '0' && c <= '9'; }));
    skip(is_space);
    const auto unit = skip([](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
    const auto* known = std::find_if(std::begin(kUnits), std::end(kUnits),
                                     [&](const auto& entry) { return entry.first == unit; });
    int64_t nanos = 0;
    if (!number.has_value() || known == std::end(kUnits) ||
        __builtin_mul_overflow(*number, known->second, &nanos) ||
        __builtin_add_overflow(total, nanos, &total)) {
      return std::nullopt;
    }
    any = true;
  }
  return any ? std::optional<int64_t>(total) : std::nullopt;
}

Retention RetentionOf(const table::Manifest& manifest, const UpkeepOptions& options) {
  const auto interval = Key(manifest, kInterval);
  if (!interval.has_value()) {
    Retention retention;
    retention.every = std::max<uint64_t>(options.retain_versions / 4, 1);
    retention.newest = options.retain_versions == 0 ? UINT64_MAX : options.retain_versions;
    retention.nanos = options.retain_nanos > 0 ? options.retain_nanos : INT64_MAX;
    retention.either = true;
    if (options.retain_versions == 0) {
      retention.every = 0;
    }
    return retention;
  }
  Retention retention;
  const auto older_than = Key(manifest, kOlderThan);
  const auto newest = Key(manifest, kRetainVersions);
  const auto every = ParseNumber(*interval);
  const auto nanos =
      older_than.has_value() ? ParseDuration(*older_than) : std::optional<int64_t>(0);
  const auto number = newest.has_value() ? ParseNumber(*newest) : std::optional<uint64_t>(0);
  // What is not understood must not remove anything.
  if (every.has_value() && nanos.has_value() && number.has_value() &&
      (older_than.has_value() || newest.has_value())) {
    retention = {*every, *number, *nanos, false};
  }
  return retention;
}

}  // namespace glaive::maintain
