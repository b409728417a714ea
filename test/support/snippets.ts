import { execFile, spawnSync } from 'node:child_process'

/** The fenced code of a page in Markdown, by language, in its order. */
export function snippetsOf(page: string): Record<string, string[]> {
  const byLanguage: Record<string, string[]> = {}
  for (const [, language = '', code = ''] of page.matchAll(/```(\w+)\n([\s\S]*?)```/g)) {
    const snippets = byLanguage[language] ?? []
    byLanguage[language] = [...snippets, code]
  }
  return byLanguage
}

/** The first of these programs that is here and passes the trial; undefined where none does. */
export const programFor = (candidates: readonly string[], trial: readonly string[]): string | undefined =>
  candidates.find((program) => spawnSync(program, trial, { stdio: 'ignore' }).status === 0)

/** Runs a program while this process goes on: it may call the service that runs here. @throws where it fails */
export const run = (
  program: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string> },
): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, ...options.env }
    execFile(program, args, { cwd: options.cwd, env }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`))
      else resolve(stdout)
    })
  })
