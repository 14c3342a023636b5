import type { RepositoryView } from "@knib/core";
import { qemuUser } from "../qemu-user.ts";
import { type CheckDeps, type Finding, failure, ok, warning } from "./check.ts";

const GIB = 1024 ** 3;

const checkReadable = async (
	{ run, uid }: CheckDeps,
	repository: RepositoryView,
): Promise<readonly Finding[]> => {
	const name = `repository ${repository.name}`;
	const user = await qemuUser();
	if (user === undefined) return [];
	if (uid !== 0) return [warning(name, `only root can see whether ${user.name} can read it`)];
	const as = [
		"setpriv",
		`--reuid=${user.uid}`,
		`--regid=${user.gid}`,
		"--init-groups",
		"--",
	] as const;
	try {
		await run([...as, "test", "-x", repository.path], { deadlineMs: 10_000 });
		return [];
	} catch {
		const message = `qemu's user ${user.name} cannot enter ${repository.path}: restores that run from the repository will fail`;
		return [warning(name, message, `chmod o+x on ${repository.path} and the directories above it`)];
	}
};

/** Repositories answer, can be written, have room, and qemu's user can enter them. */
export const checkRepositories = async (
	deps: CheckDeps,
	repositories: readonly RepositoryView[],
): Promise<readonly Finding[]> => {
	if (repositories.length === 0) {
		return [warning("repositories", "this host has no repository", "knib init --repository DIR")];
	}
	const found = await Promise.all(
		repositories.map(async (repository) => {
			const name = `repository ${repository.name}`;
			if (repository.state === "unreachable" || repository.state === "invalid") {
				const why = repository.message ?? repository.state;
				return [failure(name, why, `check that ${repository.path} is mounted`)];
			}
			if (repository.state === "read-only") {
				return [failure(name, `${repository.path} cannot be written`, "remount it read-write")];
			}
			const readable = await checkReadable(deps, repository);
			const words = `${repository.path}, ${(repository.free / GIB).toFixed(1)} GiB free`;
			const full = repository.free * 20 < repository.capacity;
			const head = full
				? warning(name, `${words}: that is less than 5 %`, "free space there")
				: ok(name, words);
			return [head, ...readable];
		}),
	);
	return found.flat();
};
