import Sluice
import SluiceHTTP
import Testing

@Suite struct `Authorization check` {
    private let authorization = Authorization.bearer(Secret("s3cret-token"))

    @Test(arguments: [
        ([], AuthorizationResult.missing), (["Bearer s3cret-token"], .granted), (["bearer s3cret-token"], .granted),
        (["BEARER   s3cret-token "], .granted),
        (["Bearer s3cret-toke"], .invalid), (["Bearer s3cret-token1"], .invalid), (["Bearer S3cret-token"], .invalid),
        (["Bearer s3cret-tokens3cret-token"], .invalid), (["Bearer"], .invalid), (["Bearer "], .invalid),
        (["Bearer s3cret-token s3cret-token"], .invalid), (["Bearer\ts3cret-token"], .missing),
        (["Basic czNjcmV0"], .missing), (["Bearers s3cret-token"], .missing), (["s3cret-token"], .missing),
        ([""], .missing),
        (["Bearer s3cret-token", "Bearer s3cret-token"], .invalid), (["Basic x", "Bearer s3cret-token"], .invalid),
    ])
    func `the token must be the one`(_ values: [String], _ result: AuthorizationResult) {
        #expect(authorization.check(head("/", authorization: values)) == result)
    }

    @Test func `an empty secret is nobody's`() {
        let empty = Authorization.bearer(Secret(""))
        #expect(empty.check(head("/", authorization: ["Bearer "])) == .invalid)
        #expect(empty.check(head("/", authorization: ["Bearer"])) == .invalid)
    }

    @Test func `a 401 says how to do better`() {
        #expect(AuthorizationResult.granted.challenge == nil)
        #expect(AuthorizationResult.missing.challenge?.description == "Bearer")
        #expect(AuthorizationResult.invalid.challenge?.description == "Bearer error=\"invalid_token\"")
    }
}
