import {
	asKnibError,
	type HostView,
	type JobView,
	KnibError,
	type RepositoryView,
	type VmView,
} from "@knib/core";
import { hostFlag, KnibCommand } from "../base-command.ts";
import { counted, instant, safe, short, size } from "../print/text.ts";

type Status = {
	readonly hosts: readonly HostView[];
	/** Null when they cannot be listed. */
	readonly vms: readonly VmView[] | null;
	/** Why they are not shown, or not as they are now. */
	readonly message: string | null;
	readonly atRisk: readonly VmView[];
	readonly jobs: readonly JobView[];
	readonly repositories: readonly RepositoryView[];
};

const hostLine = (host: HostView): string => {
	const problems = host.problems.length === 0 ? "" : `: ${host.problems.join("; ")}`;
	return `${host.name}  ${host.state}${problems}`;
};
const vmLine = (vm: VmView): string =>
	`${vm.name}  ${vm.atRisk.join("; ")}  (last backup ${instant(vm.lastBackup?.at ?? null)})`;
const jobLine = (job: JobView): string =>
	`${short(job.id)}  ${job.type} ${job.vm?.name ?? ""}  ${job.state}  ${job.phase?.name ?? job.reason ?? ""}`;
const repositoryLine = (repository: RepositoryView): string => {
	const { name, state, free, capacity, backups } = repository;
	const room = capacity === 0 ? "" : `  ${size(free)} of ${size(capacity)} free`;
	return `${name}  ${state}${room}  ${counted(backups, "backup")}`;
};

const section = <T>(
	title: string,
	rows: readonly T[],
	line: (row: T) => string,
	none: string,
): string =>
	[title, ...(rows.length === 0 ? [none] : rows.map(line)).map((text) => `  ${safe(text)}`)].join(
		"\n",
	);

const text = (status: Status): string => {
	const well =
		status.vms === null
			? `unknown: ${status.message}`
			: [
					`none of ${counted(status.vms.length, "VM")}`,
					...(status.message === null ? [] : [status.message]),
				].join("; ");
	return [
		section("HOSTS", status.hosts, hostLine, "none"),
		section("AT RISK", status.atRisk, vmLine, well),
		section("JOBS", status.jobs, jobLine, "none running or waiting"),
		section("REPOSITORIES", status.repositories, repositoryLine, "none: `knib repository add`"),
	].join("\n");
};

export default class StatusCommand extends KnibCommand {
	static override summary = "one screen: hosts, VMs at risk, running jobs, repositories";
	static override flags = { host: hostFlag };

	async run(): Promise<void> {
		const { flags } = await this.parse(StatusCommand);
		const status = await this.connected(flags, async ({ api }): Promise<Status> => {
			const [hosts, listed, jobs, repositories] = await Promise.all([
				api.host.list.query(),
				api.vm.inventory.query().catch(asKnibError),
				api.job.list.query({}),
				api.repository.list.query(),
			]);
			const failed =
				listed instanceof KnibError ? listed.message : listed.warnings.join("; ") || null;
			const vms = listed instanceof KnibError ? null : listed.vms;
			const atRisk = vms?.filter((vm) => vm.atRisk.length > 0) ?? [];
			const unfinished = jobs.filter(({ state }) => state === "executing" || state === "waiting");
			return { hosts, vms, message: failed, atRisk, jobs: unfinished, repositories };
		});
		this.show(flags, status, text);
	}
}
