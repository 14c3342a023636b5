import type { Config } from "./config.ts";
import type { World } from "./daemon.ts";
import { startGuestfish } from "./files/guestfish.ts";
import { createStartAppliance } from "./files/launch.ts";
import { createValidationMachine } from "./hypervisor/host-capabilities.ts";
import { createDiskImages } from "./hypervisor/qemu-img.ts";
import { converseWith, runCommand } from "./hypervisor/run-command.ts";
import { startThawWatchdog } from "./hypervisor/thaw-watchdog.ts";
import { createHypervisor } from "./hypervisor/virsh.ts";
import { hostRepositories, openHostStore } from "./open-books.ts";
import { systemClock } from "./system-clock.ts";
import { systemIds } from "./system-ids.ts";

/** The real world: libvirt by virsh, images by qemu-img, repositories and the store on file systems. */
export const systemWorld = (config: Config): World => {
	const images = createDiskImages({ run: runCommand });
	return {
		images,
		hypervisor: createHypervisor({
			uri: config.libvirtUri,
			run: runCommand,
			converse: converseWith,
			clock: systemClock,
			ids: systemIds,
			images,
		}),
		machine: createValidationMachine({ run: runCommand, uri: config.libvirtUri }),
		clock: systemClock,
		ids: systemIds,
		startAppliance: createStartAppliance(startGuestfish(converseWith)),
		thawWatchdog: startThawWatchdog(converseWith, config.libvirtUri),
		openStore: openHostStore,
		repositories: hostRepositories,
	};
};
