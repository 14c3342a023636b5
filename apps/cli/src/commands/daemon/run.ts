import { Flags } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { environment } from "../../environment.ts";

export default class DaemonRun extends KnibCommand {
	static override summary = "run the daemon of this host in the foreground; `knibd` is the same";
	static override flags = {
		"state-dir": Flags.string({ summary: "directory of this host's state", helpValue: "DIR" }),
		"libvirt-uri": Flags.string({ summary: "libvirt of this host", helpValue: "URI" }),
		listen: Flags.string({ summary: "address for peers", helpValue: "HOST:PORT" }),
	};

	async run(): Promise<void> {
		const { flags } = await this.parse(DaemonRun);
		const { runDaemon } = await import("@knib/host-daemon/client");
		process.exitCode = await runDaemon({
			flags: {
				config: flags.config,
				socket: flags.socket,
				stateDir: flags["state-dir"],
				libvirtUri: flags["libvirt-uri"],
				listen: flags.listen,
			},
			env: environment(),
		});
	}
}
