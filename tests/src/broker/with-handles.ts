// Files of any driver whose open files do some things in another way.
import type { FileHandle, Files } from '../../../storage/files.ts'

/** `change` is asked for what is different of each file that is opened. */
export function withHandles(files: Files, change: (handle: FileHandle, path: string) => Partial<FileHandle>): Files {
  const open: Files['open'] = (path, mode) => {
    const handle = files.open(path, mode)
    return laidOver(handle, change(handle, path))
  }
  return laidOver(files, { open })
}

/** Not a copy: drivers may be classes. */
const laidOver = <T extends object>(object: T, other: Partial<T>): T =>
  new Proxy(object, {
    get(target, name) {
      if (Object.hasOwn(other, name)) return Reflect.get(other, name) as unknown
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
