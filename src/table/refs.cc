// Tags and branches: the part of Versions that works on _refs.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>

#include <arrow/buffer.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/status.h"
#include "table/versions.h"

namespace glaive::table {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kTagDirectory = "_refs/tags";
constexpr std::string_view kBranchDirectory = "_refs/branches";
constexpr std::string_view kSuffix = ".json";

bool IsRefCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

arrow::Status CheckTagName(std::string_view name) {
  GLAIVE_CHECK_ARGUMENT(!name.empty(), "a tag needs a name");
  GLAIVE_CHECK_ARGUMENT(std::all_of(name.begin(), name.end(), IsRefCharacter), "tag \"", name,
                        "\": only letters, digits, '.', '-' and '_' are allowed");
  GLAIVE_CHECK_ARGUMENT(name.front() != '.' && name.back() != '.', "tag \"", name,
                        "\" begins or ends with '.'");
  GLAIVE_CHECK_ARGUMENT(name.find("..") == std::string_view::npos, "tag \"", name,
                        "\" holds \"..\"");
  GLAIVE_CHECK_ARGUMENT(!name.ends_with(".lock"), "tag \"", name, "\" ends with \".lock\"");
  return arrow::Status::OK();
}

arrow::Status CheckBranchName(std::string_view name) {
  GLAIVE_CHECK_ARGUMENT(!name.empty() && name != "main", "\"", name, "\" is no name of a branch");
  GLAIVE_CHECK_ARGUMENT(
      name.front() != '/' && name.back() != '/' && name.find("//") == std::string_view::npos,
      "branch \"", name, "\" has an empty segment");
  GLAIVE_CHECK_ARGUMENT(
      std::all_of(name.begin(), name.end(), [](char c) { return c == '/' || IsRefCharacter(c); }),
      "branch \"", name, "\": only letters, digits, '.', '-', '_' and '/' are allowed");
  GLAIVE_CHECK_ARGUMENT(name.find("..") == std::string_view::npos, "branch \"", name,
                        "\" holds \"..\"");
  GLAIVE_CHECK_ARGUMENT(!name.ends_with(".lock"), "branch \"", name, "\" ends with \".lock\"");
  return arrow::Status::OK();
}

std::string TagPath(const std::string& name) {
  return Concat(kTagDirectory, "/", name, kSuffix);
}

// '/' of a branch name is "%2F" in its file's name.
std::string EncodeBranch(const std::string& name) {
  std::string encoded;
  for (char c : name) {
    encoded += c == '/' ? std::string("%2F") : std::string(1, c);
  }
  return encoded;
}

std::string DecodeBranch(std::string_view encoded) {
  std::string name;
  for (size_t i = 0; i < encoded.size(); ++i) {
    const std::string_view rest = encoded.substr(i);
    if (rest.starts_with("%2F") || rest.starts_with("%2f")) {
      name += '/';
      i += 2;
    } else {
      name += encoded[i];
    }
  }
  return name;
}

std::string Rfc3339(int64_t nanos) {
  const std::time_t seconds = nanos / 1'000'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char date[32];
  char text[64];
  std::strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text, sizeof(text), "%s.%09dZ", date, static_cast<int>(nanos % 1'000'000'000));
  return text;
}

// A reference file; never throws, whatever the bytes.
arrow::Result<Json> ParseObject(const arrow::Buffer& bytes, std::string_view path) {
  Json json = Json::parse(bytes.ToString(), nullptr, /*allow_exceptions=*/false);
  GLAIVE_CHECK_FORMAT(json.is_object(), path, " holds no JSON object");
  return json;
}

// A member under its name in camel case or, as the public documents have it, in snake case.
const Json* Member(const Json& json, const char* camel, const char* snake) {
  for (const char* name : {camel, snake}) {
    const auto at = json.find(name);
    if (at != json.end() && !at->is_null()) {
      return &*at;
    }
  }
  return nullptr;
}

std::string Text(const Json* member) {
  return member != nullptr && member->is_string() ? member->get<std::string>() : std::string();
}

uint64_t Number(const Json* member) {
  return member != nullptr && member->is_number_unsigned() ? member->get<uint64_t>() : 0;
}

arrow::Result<Tag> ParseTag(const arrow::Buffer& bytes, const std::string& name,
                            std::string_view path) {
  ARROW_ASSIGN_OR_RAISE(const Json json, ParseObject(bytes, path));
  const Json* version = Member(json, "version", "version");
  GLAIVE_CHECK_FORMAT(version != nullptr && version->is_number_unsigned(), path,
                      " names no version");
  Tag tag;
  tag.name = name;
  tag.version = version->get<uint64_t>();
  tag.manifest_bytes = Number(Member(json, "manifestSize", "manifest_size"));
  tag.created_at = Text(Member(json, "createdAt", "created_at"));
  tag.updated_at = Text(Member(json, "updatedAt", "updated_at"));
  const std::string branch = Text(Member(json, "branch", "branch"));
  if (!branch.empty()) {
    tag.branch = branch;
  }
  return tag;
}

arrow::Result<Branch> ParseBranch(const arrow::Buffer& bytes, const std::string& name,
                                  std::string_view path) {
  ARROW_ASSIGN_OR_RAISE(const Json json, ParseObject(bytes, path));
  Branch branch;
  branch.name = name;
  const std::string parent = Text(Member(json, "parentBranch", "parent_branch"));
  if (!parent.empty()) {
    branch.parent_branch = parent;
  }
  branch.parent_version = Number(Member(json, "parentVersion", "parent_version"));
  branch.created_at_seconds = static_cast<int64_t>(Number(Member(json, "createAt", "create_at")));
  return branch;
}

// The stem of "<stem>.json"; empty for other files.
std::string_view Stem(std::string_view path) {
  const auto slash = path.rfind('/');
  std::string_view name = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
  return name.ends_with(kSuffix) ? name.substr(0, name.size() - kSuffix.size())
                                 : std::string_view();
}

}  // namespace

arrow::Result<std::vector<Tag>> Versions::ListTags() const {
  ARROW_ASSIGN_OR_RAISE(auto objects, refs_store_->List(std::string(kTagDirectory)));
  std::vector<Tag> tags;
  for (const auto& object : objects) {
    const std::string name(Stem(object.path));
    if (name.empty()) {
      continue;
    }
    auto bytes = refs_store_->Get(object.path);
    if (!bytes.ok() && ErrorCodeOf(bytes.status()) == ErrorCode::kNotFound) {
      continue;  // removed since the listing
    }
    ARROW_RETURN_NOT_OK(bytes.status());
    ARROW_ASSIGN_OR_RAISE(auto tag, ParseTag(**bytes, name, object.path));
    tags.push_back(std::move(tag));
  }
  std::sort(tags.begin(), tags.end(), [](const Tag& a, const Tag& b) { return a.name < b.name; });
  return tags;
}

arrow::Result<Tag> Versions::GetTag(const std::string& name) const {
  ARROW_RETURN_NOT_OK(CheckTagName(name));
  auto bytes = refs_store_->Get(TagPath(name));
  if (!bytes.ok() && ErrorCodeOf(bytes.status()) == ErrorCode::kNotFound) {
    return NotFound("tag \"", name, "\" of ", refs_store_->root());
  }
  ARROW_RETURN_NOT_OK(bytes.status());
  return ParseTag(**bytes, name, TagPath(name));
}

arrow::Result<std::string> Versions::TagJson(uint64_t version, const std::string& created_at,
                                             const std::string& updated_at) const {
  ARROW_ASSIGN_OR_RAISE(auto entry, EntryOf(version));
  Json json;
  json["branch"] = branch_ ? Json(*branch_) : Json(nullptr);
  json["version"] = version;
  json["createdAt"] = created_at;
  json["updatedAt"] = updated_at;
  json["manifestSize"] = entry.manifest_bytes;
  json["metadata"] = Json::object();
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

arrow::Status Versions::CreateTag(const std::string& name, uint64_t version) const {
  ARROW_RETURN_NOT_OK(CheckTagName(name));
  const std::string now = Rfc3339(NowNanos());
  ARROW_ASSIGN_OR_RAISE(auto json, TagJson(version, now, now));
  // No clean-up removes the version before it can see the tag.
  ARROW_ASSIGN_OR_RAISE(const auto lease, Lease(version));
  const arrow::Status put = refs_store_->PutIfAbsent(TagPath(name), json);
  if (ErrorCodeOf(put) == ErrorCode::kAlreadyExists) {
    return AlreadyExists("tag \"", name, "\" of ", refs_store_->root());
  }
  return put;
}

arrow::Status Versions::UpdateTag(const std::string& name, uint64_t version) const {
  ARROW_ASSIGN_OR_RAISE(auto tag, GetTag(name));
  const std::string now = Rfc3339(NowNanos());
  ARROW_ASSIGN_OR_RAISE(auto json,
                        TagJson(version, tag.created_at.empty() ? now : tag.created_at, now));
  ARROW_ASSIGN_OR_RAISE(const auto lease, Lease(version));
  return refs_store_->Put(TagPath(name), json);
}

arrow::Status Versions::DeleteTag(const std::string& name) const {
  ARROW_RETURN_NOT_OK(GetTag(name).status());
  return refs_store_->Delete(TagPath(name));
}

arrow::Result<std::vector<Branch>> Versions::ListBranches() const {
  ARROW_ASSIGN_OR_RAISE(auto objects, refs_store_->List(std::string(kBranchDirectory)));
  std::vector<Branch> branches;
  for (const auto& object : objects) {
    const std::string name = DecodeBranch(Stem(object.path));
    if (name.empty()) {
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(auto bytes, refs_store_->Get(object.path));
    ARROW_ASSIGN_OR_RAISE(auto branch, ParseBranch(*bytes, name, object.path));
    branches.push_back(std::move(branch));
  }
  std::sort(branches.begin(), branches.end(),
            [](const Branch& a, const Branch& b) { return a.name < b.name; });
  return branches;
}

arrow::Result<Versions> Versions::OpenBranch(const std::string& name) const {
  ARROW_RETURN_NOT_OK(CheckBranchName(name));
  ARROW_ASSIGN_OR_RAISE(
      const bool exists,
      refs_store_->Exists(Concat(kBranchDirectory, "/", EncodeBranch(name), kSuffix)));
  if (!exists) {
    return NotFound("branch \"", name, "\" of ", refs_store_->root());
  }
  ARROW_ASSIGN_OR_RAISE(auto store, refs_store_->Sub("tree/" + name));
  Versions branch(std::move(store), session_);
  branch.branch_ = name;
  branch.refs_store_ = refs_store_;
  return branch;
}

}  // namespace glaive::table
