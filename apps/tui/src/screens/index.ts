import type { ScreenName } from "../app/state.ts";
import { hosts, offerings, repositories, settings } from "./admin.ts";
import { backup, backups, chains } from "./backups.ts";
import { dashboard } from "./dashboard.ts";
import { job, jobs } from "./jobs.ts";
import type { Screen } from "./screen.ts";
import { vm, vms } from "./vms.ts";

/** Every screen by its name. */
export const SCREENS: Readonly<Record<ScreenName, Screen>> = {
	dashboard,
	vms,
	vm,
	chains,
	backups,
	backup,
	jobs,
	job,
	offerings,
	repositories,
	settings,
	hosts,
};
