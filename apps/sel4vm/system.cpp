// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/system.hpp>
#include <apps/sel4vm/text.hpp>

#include <fmt/format.h>
#include <sel4vm/machine/validate.hpp>

namespace sel4vm::cli {
namespace {

void replace_all(std::string &text, std::string_view what, std::string_view with) {
    for (usize at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
}

/// Keys of the description as docs/system-file.md spells them, alone or in a sentence.
std::string in_file_words(std::string_view text) {
    std::string key;
    usize depth = 0;
    for (const char c : text) { // without the [N] of lists
        depth += c == '[' ? 1U : 0U;
        if (depth == 0)
            key += c;
        depth -= c == ']' && depth > 0 ? 1U : 0U;
    }
    replace_all(key, "devices.uart", "uart");
    replace_all(key, "devices.rtc", "rtc");
    replace_all(key, ".images", ".image");
    replace_all(key, ".base", ".address");
    replace_all(key, ".spi", ".irq");
    replace_all(key, ".irqs", ".spis");
    return key;
}

std::string key_name(std::string_view description_key) {
    return fmt::format("key '{}'", in_file_words(description_key));
}

} // namespace

Origin System::origin_of(std::string_view description_key) const {
    std::string_view key = description_key;
    for (;;) {
        if (const auto found = origins_.find(key); found != origins_.end()) {
            Origin at = found->second;
            if (key.size() != description_key.size()) {
                // About something inside what was written, or left to its default there: name that, too.
                at.name = key_name(description_key);
                at.value.clear();
            }
            return at;
        }
        const usize cut = key.find_last_of(".[");
        if (cut == std::string_view::npos)
            break;
        key = key.substr(0, cut);
    }
    const auto whole = origins_.find("");
    Origin at = whole == origins_.end() ? Origin{} : whole->second;
    at.name = key_name(description_key);
    return at;
}

void System::add_image(usize vm, machine::ImageRecord record, std::filesystem::path path, Origin origin,
                       Mistakes &mistakes) {
    auto &records = description.vms[vm].images;
    record.blob = static_cast<u32>(images.size());
    record.source = keep(path.string());
    if (records.emplace_back(record) == nullptr) {
        mistakes.expected(std::move(origin), fmt::format("at most {} images in a VM", machine::kMaxImages));
        return;
    }
    images.push_back({vm, records.size() - 1, std::move(path), std::move(origin)});
}

void validate_description(const System &system, Mistakes &mistakes) {
    for (const machine::Problem &problem : machine::validate(system.description)) {
        Origin at = system.origin_of(problem.key.view());
        const std::string expected = in_file_words(problem.expected.view());
        if (problem.value.view() == "none") { // what the library prints for a value that is not there
            mistakes.missing(std::move(at), "expected " + expected);
            continue;
        }
        if (at.value.empty())
            at.value = problem.value.view();
        mistakes.expected(std::move(at), expected);
    }
}

} // namespace sel4vm::cli
