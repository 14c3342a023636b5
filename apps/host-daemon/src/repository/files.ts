import type { FileScope } from "./file-guard.ts";
import { createFileReads, type FileReads } from "./file-reads.ts";
import { createFileWrites, type FileWrites } from "./file-writes.ts";

/** The file system as one repository sees it: nothing outside its directory, no symbolic link followed inside. */
export type RepositoryFiles = FileReads & FileWrites;

/** File operations of the repository in `scope.root`, an absolute path. */
export const createRepositoryFiles = (scope: FileScope): RepositoryFiles => ({
	...createFileReads(scope),
	...createFileWrites(scope),
});
