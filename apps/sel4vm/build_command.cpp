// SPDX-License-Identifier: BSD-2-Clause
//
// `sel4vm check` and `sel4vm build`.
#include <apps/sel4vm/commands.hpp>
#include <apps/sel4vm/drives.hpp>
#include <apps/sel4vm/failure.hpp>
#include <apps/sel4vm/host_image.hpp>
#include <apps/sel4vm/load_system.hpp>
#include <apps/sel4vm/machine_cpus.hpp>
#include <apps/sel4vm/machine_memory.hpp>
#include <apps/sel4vm/notices.hpp>
#include <apps/sel4vm/packing.hpp>
#include <apps/sel4vm/progress.hpp>
#include <apps/sel4vm/text.hpp>

#include <filesystem>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace sel4vm::cli {
namespace {

/// After mistakes that make it no system at all, looking further would only report their consequences.
std::unique_ptr<System> load_checked(const std::string &file, LoadedImages &images) {
    Mistakes mistakes;
    auto system = read_system(file, mistakes);
    images = load_images(*system, mistakes);
    if (!system->description.vms.empty() || mistakes.empty()) {
        judge_system(*system, images, mistakes);
        judge_machine_memory(*system, images, mistakes);
        judge_machine_cpus(*system, mistakes);
    }
    require_none(mistakes);
    return system;
}

/// An output that is one of the inputs would be the end of that file.
void keep_inputs(const BuildOptions &options, const System &system) {
    std::vector<std::filesystem::path> inputs{options.file};
    if (options.host_image)
        inputs.emplace_back(*options.host_image);
    for (const ImageSource &image : system.images)
        inputs.push_back(image.path);
    std::vector<std::string> outputs{options.output};
    if (options.pair)
        outputs.push_back(options.output + ".bundle");
    for (const std::string &output : outputs) {
        for (const std::filesystem::path &input : inputs) {
            std::error_code absent; // what does not exist is no other file
            if (std::filesystem::equivalent(output, input, absent))
                throw Failure(
                    ExitStatus::bad_input,
                    fmt::format("option '--output': {} is read to build it: give another name", shown_path(output)));
        }
    }
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
    ProgressLine progress(progress_for(options.verbose), fmt::format("building {}", shown_path(options.output)), 3);
    progress.step("reading");
    LoadedImages images;
    const auto system = load_checked(options.file, images);
    Mistakes mistakes;
    refuse_drives(*system, mistakes,
                  "is for 'sel4vm run': an image has no disk whose writes are kept, and none in the format qcow2; say "
                  "machine = NAME of "
                  "a disk that its machine will have");
    require_none(mistakes);
    keep_inputs(options, *system);
    progress.step("packing");
    const HostImage host = HostImage::find(options.host_image);
    const Bytes bundle = make_bundle(*system, images, notices_of(host.path()));

    progress.step("writing");
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
