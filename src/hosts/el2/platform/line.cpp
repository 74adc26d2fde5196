// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/platform/line.hpp>

#include <sel4vm/base/printable.hpp>
#include <sel4vm/base/text.hpp>

#include <algorithm>
#include <array>

namespace sel4vm::el2 {

namespace {

std::string_view name_of(LogLevel level) {
    switch (level) {
    case LogLevel::error: return "error";
    case LogLevel::warning: return "warning";
    case LogLevel::info: return "info";
    case LogLevel::debug: return "debug";
    }
    return "?";
}

constexpr std::array<u8, 2> kTwoMarks{kLineMark, kLineMark};

} // namespace

void print_message(Console &console, std::initializer_list<std::string_view> parts) {
    console.print("sel4vm");
    for (const std::string_view part : parts) {
        console.print(": ");
        show(part, [&console](std::string_view shown) { console.print(shown); });
    }
    console.print("\n");
}

void LineOutput::put(std::span<const u8> bytes) {
    if (mode_ == LineMode::plain) {
        console_.put(bytes);
        return;
    }
    while (!bytes.empty()) {
        const auto mark = std::find(bytes.begin(), bytes.end(), kLineMark);
        const auto before = static_cast<usize>(mark - bytes.begin());
        console_.put(bytes.first(before));
        bytes = bytes.subspan(before);
        if (bytes.empty())
            return;
        console_.put(kTwoMarks);
        bytes = bytes.subspan(1);
    }
}

void LineLog::line(LogLevel level, std::string_view source, std::string_view text) {
    if (level > least_)
        return;
    if (mode_ == LineMode::marked)
        console_.put({&kLineMark, 1});
    else if (other_ != nullptr)
        other_->end_line();
    print_message(console_, {name_of(level), source, text});
}

void LineLog::exit_status(u8 status) {
    if (mode_ == LineMode::plain)
        return;
    console_.put({&kLineMark, 1});
    Text<32> line;
    line << "sel4vm: exit " << u32{status} << "\n";
    console_.print(line.view());
}

} // namespace sel4vm::el2
