import type { ScreenName } from "../app/state.ts";
import { hosts, offerings, repositories, settings } from "./admin.ts";
import { backup } from "./backup.ts";
import { backups } from "./backups.ts";
import { chain, chains } from "./chains.ts";
import { dashboard } from "./dashboard.ts";
import { doctor } from "./doctor.ts";
import { events } from "./events.ts";
import { files } from "./files.ts";
import { job, jobs } from "./jobs.ts";
import { peers } from "./peers.ts";
import { retention, schedules, selectors } from "./rules.ts";
import type { Screen } from "./screen.ts";
import { screen } from "./screenshot.ts";
import { vm, vms } from "./vms.ts";

/** Every screen by its name. */
export const SCREENS: Readonly<Record<ScreenName, Screen>> = {
	dashboard,
	vms,
	vm,
	chains,
	chain,
	backups,
	backup,
	screen,
	files,
	jobs,
	job,
	offerings,
	repositories,
	settings,
	hosts,
	peers,
	events,
	schedules,
	selectors,
	retention,
	doctor,
};
