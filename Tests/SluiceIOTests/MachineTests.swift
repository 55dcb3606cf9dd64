import Glibc
import SluiceIO
import Testing

struct FileContentTests {
    let folder = Folder()

    private func file(_ bytes: Int) -> String {
        let path = folder.path + "/c"
        let descriptor = unsafe creat(path, 0o600)
        let content = [UInt8](repeating: 7, count: bytes)
        var written = 0
        while written < bytes {
            let count = unsafe content.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            written += count
        }
        close(descriptor)
        return path
    }

    @Test(arguments: [0, 1, 65_536, 200_000])
    func `a file is read whole, up to its limit`(_ count: Int) throws {
        let path = file(count)
        #expect(try FileContent.read(path, limit: count).count == count)
        if count > 0 {
            #expect(throws: Errno(EFBIG)) { _ = try FileContent.read(path, limit: count - 1) }
        }
    }

    @Test func `a file that is not there, or is a folder, is an error`() {
        #expect(throws: Errno.notFound) { _ = try FileContent.read(folder.path + "/none", limit: 10) }
        #expect(throws: Errno(EISDIR)) { _ = try FileContent.read(folder.path, limit: 10) }
    }
}
