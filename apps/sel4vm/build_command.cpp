// SPDX-License-Identifier: BSD-2-Clause
//
// `sel4vm check` and `sel4vm build`.
#include <apps/sel4vm/commands.hpp>
#include <apps/sel4vm/host_image.hpp>
#include <apps/sel4vm/load_system.hpp>
#include <apps/sel4vm/notices.hpp>
#include <apps/sel4vm/packing.hpp>
#include <apps/sel4vm/progress.hpp>
#include <apps/sel4vm/text.hpp>

#include <fmt/format.h>
#include <unistd.h>

namespace sel4vm::cli {
namespace {

/// After mistakes that make it no system at all, looking further would only report their consequences.
std::unique_ptr<System> load_checked(const std::string &file, LoadedImages &images) {
    Mistakes mistakes;
    auto system = read_system(file, mistakes);
    images = load_images(*system, mistakes);
    if (!system->description.vms.empty() || mistakes.empty())
        judge_system(*system, images, mistakes);
    require_none(mistakes);
    return system;
}

Progress progress_for(bool verbose) {
    return verbose || ::isatty(STDERR_FILENO) == 1 ? Progress::shown : Progress::silent;
}

} // namespace

ExitStatus check(const CheckOptions &options) {
    LoadedImages images;
    const auto system = load_checked(options.file, images);
    fmt::print("{}: good: {} VM{}\n", one_line(options.file), system->description.vms.size(),
               system->description.vms.size() == 1 ? "" : "s");
    return ExitStatus::ok;
}

ExitStatus build(const BuildOptions &options) {
    const ProgressLine progress(progress_for(options.verbose), fmt::format("building {}", shown_path(options.output)));
    LoadedImages images;
    const auto system = load_checked(options.file, images);
    const HostImage host = HostImage::find(options.host_image);
    const Bytes bundle = make_bundle(*system, images, notices_of(host.path()));

    OutputFile image(options.output);
    if (options.pair) {
        OutputFile second(options.output + ".bundle");
        image.write(host.bytes());
        second.write(bundle);
        image.finish();
        second.finish();
        second.commit();
        image.commit();
    } else {
        image.write(host.with_room_for(bundle.size()));
        image.write(bundle);
        image.commit();
    }
    if (options.verbose)
        print_message(fmt::format("{}: host {} bytes, bundle {} bytes", shown_path(options.output), host.size_bytes(),
                                  bundle.size()));
    return ExitStatus::ok;
}

} // namespace sel4vm::cli
