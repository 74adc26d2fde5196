// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/el2/images.hpp>

#include <sel4vm/machine/names.hpp>
#include <sel4vm/machine/packed_system.hpp>

namespace sel4vm::el2 {

namespace {

std::string_view last_part(std::string_view path) {
    const usize slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

} // namespace

void BundleImages::open(Host &host, Log &log) {
    if (host.bundle().empty())
        return;
    auto system = Owned<machine::SystemDescription>::make(host.heap());
    if (!system)
        return log.line(LogLevel::error, "host", "not enough memory for the bundle's manifest");
    bundle_ = machine::open_system(host.bundle(), {}, *system, log); // its devices are not made
    if (bundle_)
        system_ = std::move(system);
}

std::optional<std::span<const u8>> BundleImages::find(std::string_view name) const {
    if (!system_ || system_->vms.empty())
        return std::nullopt;
    for (const machine::ImageRecord &image : system_->vms[0].images) {
        if (machine::name_of(image.kind) != name && image.source != name && last_part(image.source) != name)
            continue;
        if (const auto bytes = bundle_->blob(image.blob))
            return *bytes;
    }
    return std::nullopt;
}

} // namespace sel4vm::el2
