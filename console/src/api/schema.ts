// Written by `npm run types` from /console/api/openapi.json. Do not edit.

export interface paths {
    "/console/api/admin/apps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the AI applications
         * @description Those of the configuration first, then those published here, by name.
         */
        get: operations["ConsoleApiAdminAppsListApps"];
        put?: never;
        /**
         * Publish an AI application
         * @description It can be called as model `app/NAME` at once. 409 when the name is taken, or when the price differs more than
         *     tenfold from the last one of this name.
         */
        post: operations["ConsoleApiAdminAppsCreateApp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/admin/apps/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show an AI application
         * @description One of the configuration, or one published here.
         */
        get: operations["ConsoleApiAdminAppsNameShowApp"];
        /**
         * Change an AI application
         * @description All of it; calls in flight end as they began.
         */
        put: operations["ConsoleApiAdminAppsNameChangeApp"];
        post?: never;
        /**
         * Delete an AI application
         * @description Its bills and the versions of its price stay.
         */
        delete: operations["ConsoleApiAdminAppsNameDeleteApp"];
        options?: never;
        head?: never;
        /**
         * Turn an AI application off or on
         * @description Calls of one that is off are refused with 404 and the reason.
         */
        patch: operations["ConsoleApiAdminAppsNameSwitchApp"];
        trace?: never;
    };
    "/console/api/admin/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the changes of the whole platform, newest first
         * @description `action` may be a whole one, such as `user.create`, or a group, such as `user`.
         */
        get: operations["ConsoleApiAdminAuditOfPlatform"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/admin/code-batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List batches of redemption codes, newest first
         * @description With how many of each were redeemed.
         */
        get: operations["ConsoleApiAdminCodeBatchesListBatches"];
        put?: never;
        /**
         * Make a batch of redemption codes
         * @description The codes are in this answer and nowhere else: only their hashes are kept.
         */
        post: operations["ConsoleApiAdminCodeBatchesMakeBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/admin/code-batches.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a batch of redemption codes, as a file
         * @description A line per code: the code, what it is worth, when it expires, its batch.
         */
        post: operations["ConsoleApiAdminCodeBatchesCsvMakeBatchCsv"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/admin/code-batches/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a batch of redemption codes
         * @description Its codes are a list of their own.
         */
        get: operations["ConsoleApiAdminCodeBatchesIdShowBatch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/admin/code-batches/{id}/codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the codes of a batch
         * @description In the order in which they were made; of each only the end can be seen.
         */
        get: operations["ConsoleApiAdminCodeBatchesIdCodesListCodes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/admin/code-batches/{id}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke a batch of codes
         * @description What was redeemed before stays where it is.
         */
        post: operations["ConsoleApiAdminCodeBatchesIdRevokeRevokeBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/admin/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show the portal's settings
         * @description What an operator set here, else what the configuration says.
         */
        get: operations["ConsoleApiAdminSettingsShowSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change the portal's settings
         * @description Those not named stay.
         */
        patch: operations["ConsoleApiAdminSettingsChangeSettings"];
        trace?: never;
    };
    "/console/api/admin/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the admin tokens
         * @description Without their texts, which are not stored.
         */
        get: operations["ConsoleApiAdminTokensListTokens"];
        put?: never;
        /**
         * Make an admin token
         * @description It acts as an operator, and its text is shown this once.
         */
        post: operations["ConsoleApiAdminTokensCreateToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/admin/tokens/{token_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke an admin token
         * @description It is refused from now on.
         */
        delete: operations["ConsoleApiAdminTokensTokenIdRevokeToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/admin/upstreams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the upstreams and their health
         * @description As the gateway that answers sees them; each of several gateways has breakers of its own.
         */
        get: operations["ConsoleApiAdminUpstreamsListUpstreams"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/admin/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List everybody who has an account
         * @description `q` is a part of the name or of the address.
         */
        get: operations["ConsoleApiAdminUsersListUsers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/admin/users/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Make somebody an operator, or keep them from signing in
         * @description The last operator stays one (409).
         */
        patch: operations["ConsoleApiAdminUsersUserIdChangeUser"];
        trace?: never;
    };
    "/console/api/admin/wallets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Find wallets of every org
         * @description `q` is how the id of the wallet or of its org begins, or a part of the name of either.
         */
        get: operations["ConsoleApiAdminWalletsFindWallets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/admin/wallets/{id}/top-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Put money into a wallet
         * @description The note is kept with the journal entry. With an `Idempotency-Key`, a retry answers with the wallet as it is;
         *     the same key with another amount is refused (422).
         */
        post: operations["ConsoleApiAdminWalletsIdTopUpTopUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/invitations/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show what a link invites to
         * @description An invitation that is over is a 404. Sign up with its token, or sign in and accept it.
         */
        get: operations["ConsoleApiInvitationsTokenShow"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/invitations/{token}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Accept an invitation with the account that is signed in
         * @description One made for another e-mail address is refused (403).
         */
        post: operations["ConsoleApiInvitationsTokenAcceptAccept"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/oidc/{provider}/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Come back from a provider
         * @description Opens a session; what fails leads back to the page of signing in with `?error=`.
         */
        get: operations["ConsoleApiOidcProviderCallbackCallback"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/oidc/{provider}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Go to a provider to sign in
         * @description Afterwards the browser is at `next`, a path of this site.
         */
        get: operations["ConsoleApiOidcProviderStartStart"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List one's orgs
         * @description An operator sees every org of the platform.
         */
        get: operations["ConsoleApiOrgsListOrgs"];
        put?: never;
        /**
         * Create an org
         * @description It has a project and an empty wallet, and no member: invite its first owner.
         */
        post: operations["ConsoleApiOrgsCreateOrg"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show an org
         * @description Another's org is a 404.
         */
        get: operations["ConsoleApiOrgsOrgIdShow"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Rename an org
         * @description Its id stays.
         */
        patch: operations["ConsoleApiOrgsOrgIdRename"];
        trace?: never;
    };
    "/console/api/orgs/{org_id}/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the changes of an org, newest first
         * @description `action` may be a whole one, such as `key.create`, or a group, such as `key`.
         */
        get: operations["ConsoleApiOrgsOrgIdAuditOfOrg"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/calls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List an org's calls
         * @description `after` belongs to the order in which it was returned.
         */
        get: operations["ConsoleApiOrgsOrgIdCallsListCalls"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/calls.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download an org's calls as a file
         * @description All that match, the latest first, a million at most.
         */
        get: operations["ConsoleApiOrgsOrgIdCallsCsvDownloadCalls"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/calls/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a call with its bill and attempts
         * @description The bill is worked out again from its price version.
         */
        get: operations["ConsoleApiOrgsOrgIdCallsShowCall"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the open invitations
         * @description Those that were neither accepted nor withdrawn, and have not expired.
         */
        get: operations["ConsoleApiOrgsOrgIdInvitationsListInvitations"];
        put?: never;
        /**
         * Invite somebody into the org
         * @description Give the link to the person: it is not sent. It holds for seven days.
         */
        post: operations["ConsoleApiOrgsOrgIdInvitationsInvite"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/invitations/{invitation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Withdraw an invitation
         * @description Its link leads nowhere from now on.
         */
        delete: operations["ConsoleApiOrgsOrgIdInvitationsInvitationIdWithdraw"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the jobs of an org, newest first
         * @description `kind` is image, video, music or transcription; `state` queued, running, succeeded, failed, cancelled or
         *     expired.
         */
        get: operations["ConsoleApiOrgsOrgIdJobsListJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/jobs/{job_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a job
         * @description Where its vendor lets it; it then costs nothing.
         */
        post: operations["ConsoleApiOrgsOrgIdJobsJobIdCancelCancelJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the keys of an org
         * @description Oldest first; session keys that are over are left out.
         */
        get: operations["ConsoleApiOrgsOrgIdKeysListKeys"];
        put?: never;
        /**
         * Create a key
         * @description Its text is in this answer and nowhere else.
         */
        post: operations["ConsoleApiOrgsOrgIdKeysCreateKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/keys/{key_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a key
         * @description With what it has spent of its budget, and when it was last used.
         */
        get: operations["ConsoleApiOrgsOrgIdKeysKeyIdShowKey"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change what a key is called and may do
         * @description Takes effect at once; calls in flight finish.
         */
        patch: operations["ConsoleApiOrgsOrgIdKeysKeyIdChangeKey"];
        trace?: never;
    };
    "/console/api/orgs/{org_id}/keys/{key_id}/disable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Disable a key
         * @description Its calls are refused from now on; those in flight finish.
         */
        post: operations["ConsoleApiOrgsOrgIdKeysKeyIdDisableDisableKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/keys/{key_id}/enable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enable a key
         * @description A disabled key may call again.
         */
        post: operations["ConsoleApiOrgsOrgIdKeysKeyIdEnableEnableKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/keys/{key_id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a key a new text
         * @description The old one is refused from now on; id, wallet, limits and usage stay.
         */
        post: operations["ConsoleApiOrgsOrgIdKeysKeyIdRotateRotateKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the members of an org
         * @description All of them, those who have been there longest first.
         */
        get: operations["ConsoleApiOrgsOrgIdMembersListMembers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/members/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a member
         * @description Somebody who is no member of this org is a 404.
         */
        get: operations["ConsoleApiOrgsOrgIdMembersUserIdShowMember"];
        put?: never;
        post?: never;
        /**
         * Remove a member
         * @description Keys that they made stay.
         */
        delete: operations["ConsoleApiOrgsOrgIdMembersUserIdRemoveMember"];
        options?: never;
        head?: never;
        /**
         * Give a member another role
         * @description An org keeps an owner: the last one stays one (409).
         */
        patch: operations["ConsoleApiOrgsOrgIdMembersUserIdChangeRole"];
        trace?: never;
    };
    "/console/api/orgs/{org_id}/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the projects of an org
         * @description Oldest first: a key that names none is made in the first.
         */
        get: operations["ConsoleApiOrgsOrgIdProjectsListProjects"];
        put?: never;
        /**
         * Create a project
         * @description It has no key yet.
         */
        post: operations["ConsoleApiOrgsOrgIdProjectsCreateProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/projects/{project_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change a project
         * @description Rename it, or say whether responses of the Responses API are stored for its callers; its id stays.
         */
        patch: operations["ConsoleApiOrgsOrgIdProjectsProjectIdChangeProject"];
        trace?: never;
    };
    "/console/api/orgs/{org_id}/session-key": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a key for a page that tries calls
         * @description It holds for 15 minutes, spends from one wallet up to its own cap, and is listed with the kind `session`.
         */
        post: operations["ConsoleApiOrgsOrgIdSessionKeyCreateSessionKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sum an org's calls by day, model or key
         * @description Without days, the last thirty. Sums outlive the calls themselves.
         */
        get: operations["ConsoleApiOrgsOrgIdUsageReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/wallets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List an org's wallets
         * @description The oldest first.
         */
        get: operations["ConsoleApiOrgsOrgIdWalletsListWallets"];
        put?: never;
        /**
         * Open an empty wallet
         * @description Keys that name it spend from it.
         */
        post: operations["ConsoleApiOrgsOrgIdWalletsOpenWallet"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/wallets/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a wallet
         * @description Balance as of the last call that ended, and what calls under way hold.
         */
        get: operations["ConsoleApiOrgsOrgIdWalletsShowWallet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/wallets/{id}/alert": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a wallet's alert and its newest messages
         * @description Null for a wallet without one: that is no failure.
         */
        get: operations["ConsoleApiOrgsOrgIdWalletsAlertShowAlert"];
        /**
         * Set a wallet's alert, armed
         * @description The address must be public, or its host named by the operator.
         */
        put: operations["ConsoleApiOrgsOrgIdWalletsAlertSetAlert"];
        post?: never;
        /**
         * Remove a wallet's alert
         * @description What waits to be sent is not sent any more.
         */
        delete: operations["ConsoleApiOrgsOrgIdWalletsAlertRemoveAlert"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/wallets/{id}/alert/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a test message to a wallet's webhook
         * @description One try, at once.
         */
        post: operations["ConsoleApiOrgsOrgIdWalletsAlertTestTestAlert"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/wallets/{id}/holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the calls that hold money of a wallet now
         * @description The oldest first, two hundred at most.
         */
        get: operations["ConsoleApiOrgsOrgIdWalletsHoldsListHolds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/wallets/{id}/journal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List a wallet's journal, newest first
         * @description The time of a call's entry is the one at which the call began.
         */
        get: operations["ConsoleApiOrgsOrgIdWalletsJournalListJournal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/wallets/{id}/journal.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download a wallet's journal as a file
         * @description All that match, the newest first, a million at most.
         */
        get: operations["ConsoleApiOrgsOrgIdWalletsJournalCsvDownloadJournal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/orgs/{org_id}/wallets/{id}/redeem": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Redeem a code into a wallet
         * @description Refused with code_malformed, code_unknown, code_redeemed, code_expired, code_revoked or too_many_codes.
         */
        post: operations["ConsoleApiOrgsOrgIdWalletsRedeemRedeem"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change one's password
         * @description All other sessions of the same person end.
         */
        post: operations["ConsoleApiPasswordChangePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/portal/home": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show what the home page lists
         * @description The most used models are those of the last 30 days; before any call, those of the product pages.
         */
        get: operations["ConsoleApiPortalHomeHome"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/portal/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List models
         * @description Counts of a facet respect all other filters.
         */
        get: operations["ConsoleApiPortalModelsListModels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/portal/models/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a model
         * @description By id or any alias.
         */
        get: operations["ConsoleApiPortalModelsIdModel"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/portal/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List every operation by family
         * @description What is served, and what is in development.
         */
        get: operations["ConsoleApiPortalOperationsOperations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/portal/pages/{slug}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a page of the documentation
         * @description Endpoints have parameters, examples and answers; all pages have Markdown.
         */
        get: operations["ConsoleApiPortalPagesSlugPage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/portal/parameters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Explain the checked parameters
         * @description Types and ranges are those that the gateway checks.
         */
        get: operations["ConsoleApiPortalParametersChecked"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/portal/prices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show the price list
         * @description Models with their prices, those that can be called first; tiers are on a model's card.
         */
        get: operations["ConsoleApiPortalPricesPrices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/portal/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search all pages
         * @description Every word must be on the page; the last one may be the beginning of a word.
         */
        get: operations["ConsoleApiPortalSearchSearch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/portal/status-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Explain every kind of error
         * @description From the gateway's own tree of errors.
         */
        get: operations["ConsoleApiPortalStatusCodesStatusCodes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/portal/tree": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show the documentation's tree
         * @description Titles are in the language; slugs lead to `/portal/pages/{slug}`.
         */
        get: operations["ConsoleApiPortalTreeTree"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Say who is signed in, and what a page needs to begin with
         * @description A visitor gets a cookie, to which the CSRF token belongs.
         */
        get: operations["ConsoleApiSessionShow"];
        put?: never;
        /**
         * Sign in with a password
         * @description After some failures in a row, another try is allowed only after a while (429), which grows.
         */
        post: operations["ConsoleApiSessionSignIn"];
        /**
         * Sign out
         * @description With `everywhere`, all other sessions of the same person end, too.
         */
        delete: operations["ConsoleApiSessionSignOut"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/api/sign-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make an account and sign in
         * @description Without an invitation this makes an org with a project and an empty wallet, and its owner.
         */
        post: operations["ConsoleApiSignUpSignUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** AdminToken */
        AdminToken: {
            created_by: string;
            created_ms: number;
            expires_ms: number | null;
            id: string;
            last_used_ms: number | null;
            last4: string;
            name: string;
        };
        /** AlertForm */
        AlertForm: {
            /** @default false */
            new_secret?: boolean;
            threshold_yuan: string;
            url: string;
        };
        /** AlertSet */
        AlertSet: {
            armed: boolean;
            changed_ms: number;
            created_ms: number;
            secret: string | null;
            threshold_yuan: string;
            url: string;
        };
        /** AlertView */
        AlertView: {
            armed: boolean;
            changed_ms: number;
            created_ms: number;
            messages: components["schemas"]["MessageView"][];
            threshold_yuan: string;
            url: string;
        };
        /** Answer */
        Answer: {
            content_type: string;
            example: string;
            /** @default [] */
            fields?: components["schemas"]["Parameter"][];
            /** @default  */
            meaning?: string;
            /** @default  */
            remedy?: string;
            status: number;
            title: string;
        };
        /** AppForm */
        AppForm: {
            /** @default false */
            accept_price?: boolean;
            allowed?: string[] | null;
            description?: components["schemas"]["Description"];
            model: string;
            parameters?: {
                [key: string]: unknown;
            };
            price?: components["schemas"]["PriceSettings"] | null;
            /** @default  */
            system?: string;
            title?: components["schemas"]["Title"];
        };
        /** AppSwitch */
        AppSwitch: {
            disabled: boolean;
        };
        /** AppView */
        AppView: {
            allowed: string[] | null;
            changed_ms: number | null;
            configured: boolean;
            created_ms: number | null;
            description: components["schemas"]["Description"];
            model: string;
            name: string;
            parameters: {
                [key: string]: unknown;
            };
            price: components["schemas"]["PriceSettings"] | null;
            /** @enum {string} */
            state: "disabled" | "name_taken" | "model_gone" | "not_a_chat_model" | "bad_price" | "available" | "not_offered" | "unpriced";
            system: string;
            title: components["schemas"]["Title"];
        };
        /** AttemptView */
        AttemptView: {
            error?: string | null;
            ms: number;
            outcome: string;
            status?: number | null;
            upstream: string;
            upstream_request_id?: string | null;
        };
        /** AuditEntry */
        AuditEntry: {
            /** @enum {string} */
            action: "admin_token.create" | "admin_token.revoke" | "alert.delete" | "alert.set" | "app.change" | "app.create" | "app.delete" | "app.disable" | "app.enable" | "code_batch.create" | "code_batch.revoke" | "invitation.accept" | "invitation.create" | "invitation.withdraw" | "key.change" | "key.create" | "key.create_session" | "key.disable" | "key.enable" | "key.rotate" | "member.add" | "member.remove" | "member.role" | "org.create" | "org.rename" | "project.create" | "project.rename" | "project.store_responses" | "session.end" | "session.open" | "settings.update" | "user.create" | "user.disable" | "user.enable" | "user.identity" | "user.operator" | "user.password" | "wallet.create" | "wallet.redeem" | "wallet.top_up";
            actor_id: string;
            /** @enum {string} */
            actor_kind: "user" | "admin_token" | "command" | "system";
            actor_name: string;
            address: string;
            after: {
                [key: string]: unknown;
            };
            at_ms: number;
            before: {
                [key: string]: unknown;
            };
            id: string;
            org_id: string | null;
            target: string;
        };
        /** Auth */
        Auth: {
            example: string;
            header: string;
            type: string;
        };
        /** BatchForm */
        BatchForm: {
            amount_yuan: string;
            count: number;
            expires_ms?: number | null;
            /** @default  */
            note?: string;
        };
        /** BatchView */
        BatchView: {
            amount_yuan: string;
            count: number;
            created_by: string;
            created_ms: number;
            expires_ms: number | null;
            id: string;
            note: string;
            redeemed: number;
            revoked_ms: number | null;
            state: string;
        };
        /** BillView */
        BillView: {
            agrees: boolean | null;
            cost_yuan: string;
            currency_rate: string | null;
            lines: components["schemas"]["LineView"][];
            overrun_yuan: string;
            price_source: string | null;
            price_version: number;
            recomputed_yuan: string | null;
            tier: {
                [key: string]: string | number | boolean;
            };
            total_yuan: string;
            unpriced: string[];
            usage_source: string;
            vendor_usage: {
                [key: string]: unknown;
            } | null;
        };
        /** BudgetIn */
        BudgetIn: {
            /** @description An amount in yuan, as a decimal string. */
            amount_yuan: string;
            /** @enum {string} */
            period: "day" | "week" | "month" | "never";
        };
        /** BudgetOut */
        BudgetOut: {
            amount_yuan: string;
            /** @enum {string} */
            period: "day" | "week" | "month" | "never";
            resets_ms: number | null;
            spent_yuan: string;
        };
        /** CallDetail */
        CallDetail: {
            attempts: components["schemas"]["AttemptView"][];
            bill: components["schemas"]["BillView"] | null;
            call: components["schemas"]["CallView"];
            usage_source: string;
        };
        /** CallsPage */
        CallsPage: {
            data: components["schemas"]["CallView"][];
            more: boolean;
            next: string | null;
            total: number;
        };
        /** CallView */
        CallView: {
            cached_tokens: number;
            client_request_id: string | null;
            cost_yuan: string;
            endpoint: string;
            error: string;
            first_token_ms: number | null;
            id: string;
            input_tokens: number;
            key_id: string;
            latency_ms: number;
            model: string;
            outcome: string;
            output_tokens: number;
            project_id: string;
            started_ms: number;
            status: number;
            stream: boolean;
            upstream: string;
            wallet_id: string;
        };
        /** CodeView */
        CodeView: {
            entry_id: string | null;
            last4: string;
            org_id: string | null;
            position: number;
            redeemed_by: string | null;
            redeemed_ms: number | null;
            wallet_id: string | null;
        };
        /** Count */
        Count: {
            count: number;
            title: string;
            value: string;
        };
        /** CreatedOut */
        CreatedOut: {
            key: components["schemas"]["KeyOut"];
            secret: string;
        };
        /** DayPart */
        DayPart: {
            day: string;
            row: components["schemas"]["UsageRow"];
        };
        /** Description */
        Description: {
            /** @default  */
            en?: string;
            /** @default  */
            zh?: string;
        };
        /** EntryView */
        EntryView: {
            amount_yuan: string;
            call_id: string | null;
            change_yuan: string;
            created_ms: number;
            credit: string;
            debit: string;
            id: string;
            /** @enum {string} */
            kind: "top_up" | "redeem" | "settle" | "overrun" | "correct";
            note: string;
        };
        ErrorBody: {
            error: {
                code: string;
                message: string;
                param: string | null;
                request_id: string;
            };
        };
        /** Found */
        Found: {
            kind: string;
            slug: string;
            snippet: components["schemas"]["Piece"][];
            title: string;
            where: string;
        };
        /** FoundOut */
        FoundOut: {
            data: components["schemas"]["Found"][];
        };
        /** FoundWalletView */
        FoundWalletView: {
            available_yuan: string;
            balance_yuan: string;
            created_ms: number;
            held_yuan: string;
            id: string;
            name: string;
            org_id: string;
            org_name: string;
        };
        /** Heading */
        Heading: {
            id: string;
            level: number;
            title: string;
        };
        /** HoldView */
        HoldView: {
            call_id: string;
            held_yuan: string;
            key_id: string;
            model: string;
            project_id: string;
            started_ms: number;
        };
        /** HomeOut */
        HomeOut: {
            base_url: string;
            contact: string;
            followed: components["schemas"]["ModelSummary"][];
            newest: components["schemas"]["ModelSummary"][];
        };
        /** Invitation */
        Invitation: {
            created_ms: number;
            email: string;
            expires_ms: number;
            id: string;
            invited_by: string;
            operator: boolean;
            org_id: string;
            org_name: string;
            /** @enum {string} */
            role: "owner" | "admin" | "developer" | "billing" | "viewer";
        };
        /** InvitationOut */
        InvitationOut: {
            invitation: components["schemas"]["Invitation"];
            token: string;
            url: string;
        };
        /** Invite */
        Invite: {
            /** @default  */
            email?: string;
            /** @enum {string} */
            role: "owner" | "admin" | "developer" | "billing" | "viewer";
        };
        /** Invited */
        Invited: {
            email: string;
            expires_ms: number;
            operator: boolean;
            org_name: string;
            /** @enum {string} */
            role: "owner" | "admin" | "developer" | "billing" | "viewer";
        };
        /** JobFileView */
        JobFileView: {
            media_type: string;
            name: string;
            path: string;
            size_bytes: number;
        };
        /** JobView */
        JobView: {
            cost_yuan: string | null;
            created_ms: number;
            ended_ms: number | null;
            error: string;
            files: components["schemas"]["JobFileView"][];
            id: string;
            /** @enum {string} */
            kind: "image" | "video" | "music" | "transcription";
            model: string;
            percent: number;
            state: string;
        };
        /** KeyForm */
        KeyForm: {
            budget?: components["schemas"]["BudgetIn"] | null;
            /** @description Milliseconds since the epoch, UTC. */
            expires_ms?: number | null;
            /** @description Addresses and CIDR blocks; empty is anywhere. */
            ips?: string[];
            limits?: components["schemas"]["Limits"];
            /** @description Ids of models; empty is all. */
            models?: string[];
            name: string;
            project_id?: string | null;
            wallet_id?: string | null;
        };
        /** KeyOut */
        KeyOut: {
            budget: components["schemas"]["BudgetOut"] | null;
            created_by: string | null;
            created_ms: number;
            disabled_ms: number | null;
            expires_ms: number | null;
            id: string;
            ips: string[];
            /** @enum {string} */
            kind: "api" | "session";
            last_used_ms: number | null;
            last4: string;
            limits: components["schemas"]["Limits"];
            models: string[];
            name: string;
            prefix: string;
            project_id: string;
            wallet_id: string;
        };
        /** KeyPatch */
        KeyPatch: {
            budget?: components["schemas"]["BudgetIn"] | null;
            /** @description Milliseconds since the epoch, UTC. */
            expires_ms?: number | null;
            /** @description Addresses and CIDR blocks; empty is anywhere. */
            ips?: string[];
            limits?: components["schemas"]["Limits"];
            /** @description Ids of models; empty is all. */
            models?: string[];
            name?: string;
        };
        /** Limits */
        Limits: {
            concurrency?: number | null;
            requests_per_minute?: number | null;
            /** @description An amount in yuan, as a decimal string. */
            spend_per_day_yuan?: string | null;
            tokens_per_minute?: number | null;
        };
        /** LineView */
        LineView: {
            amount_yuan: string;
            per: number;
            price_yuan: string;
            units: number;
            word: string;
        };
        /** Link */
        Link: {
            slug?: string | null;
            title: string;
        };
        /** MadeBatchView */
        MadeBatchView: {
            batch: components["schemas"]["BatchView"];
            codes: string[];
        };
        /** Me */
        Me: {
            email: string;
            id: string;
            name: string;
            operator: boolean;
            orgs: components["schemas"]["Membership"][];
        };
        /** Member */
        Member: {
            created_ms: number;
            email: string;
            name: string;
            /** @enum {string} */
            role: "owner" | "admin" | "developer" | "billing" | "viewer";
            user_id: string;
        };
        /** Membership */
        Membership: {
            org_id: string;
            org_name: string;
            /** @enum {string} */
            role: "owner" | "admin" | "developer" | "billing" | "viewer";
        };
        /** MessageView */
        MessageView: {
            answer: string;
            created_ms: number;
            due_ms: number | null;
            ended_ms: number | null;
            id: string;
            kind: string;
            state: string;
            tries: number;
        };
        /** ModelEndpoint */
        ModelEndpoint: {
            method: string;
            operation: string;
            path: string;
            slug: string;
            /** @enum {string} */
            status: "released" | "developing";
        };
        /** ModelOut */
        ModelOut: {
            aliases: string[];
            base_url: string;
            description: string;
            dimensions: number[];
            endpoints: components["schemas"]["ModelEndpoint"][];
            introduction: string;
            /** @enum {string} */
            live: "available" | "degraded" | "down" | "developing";
            /** @default [] */
            price_history?: components["schemas"]["PriceVersion"][];
            sample_request: components["schemas"]["SampleRequest"] | null;
            summary: components["schemas"]["ModelSummary"];
            ways: components["schemas"]["ModelWay"][];
        };
        /** ModelPrice */
        ModelPrice: {
            checked: string;
            currency_rate: string;
            input_per_ktok_yuan: string | null;
            input_per_mtok_yuan: string | null;
            output_per_ktok_yuan: string | null;
            output_per_mtok_yuan: string | null;
            source: string;
            tiered: boolean;
            tiers: components["schemas"]["PriceTier"][];
            version: number;
        };
        /** ModelsOut */
        ModelsOut: {
            data: components["schemas"]["ModelSummary"][];
            facets: {
                [key: string]: components["schemas"]["Count"][];
            };
            next: string | null;
            total: number;
        };
        /** ModelSummary */
        ModelSummary: {
            capabilities: string[];
            capability_titles: string[];
            context: number | null;
            id: string;
            kind: string;
            kind_title: string;
            max_output: number | null;
            name: string;
            price: components["schemas"]["ModelPrice"] | null;
            region: string;
            region_title: string;
            series: string;
            slug: string | null;
            /** @enum {string} */
            status: "released" | "developing";
            updated: string;
            vendor: string;
            vendor_title: string;
        };
        /** ModelWay */
        ModelWay: {
            base_url: string;
            sample_request: components["schemas"]["SampleRequest"];
            way: components["schemas"]["Way"];
        };
        /** Named */
        Named: {
            name: string;
        };
        /** NewAdminToken */
        NewAdminToken: {
            info: components["schemas"]["AdminToken"];
            token: string;
        };
        /** NewApp */
        NewApp: {
            /** @default false */
            accept_price?: boolean;
            allowed?: string[] | null;
            description?: components["schemas"]["Description"];
            model: string;
            name: string;
            parameters?: {
                [key: string]: unknown;
            };
            price?: components["schemas"]["PriceSettings"] | null;
            /** @default  */
            system?: string;
            title?: components["schemas"]["Title"];
        };
        /** Node */
        Node: {
            /** @default [] */
            children?: components["schemas"]["Node"][];
            href?: string | null;
            method?: string | null;
            slug?: string | null;
            /** @enum {null|string} */
            status?: "released" | "developing" | null;
            title: string;
        };
        /** OfferedModel */
        OfferedModel: {
            answered: number;
            failed: number;
            failures: number;
            last_failure: string;
            model: string;
            open_until_ms: number | null;
            state: components["schemas"]["State"];
        };
        /** OperationEntry */
        OperationEntry: {
            id: string;
            method: string;
            path: string;
            slug: string;
            /** @enum {string} */
            status: "released" | "developing";
            summary: string;
            title: string;
        };
        /** OperationGroup */
        OperationGroup: {
            operations: components["schemas"]["OperationEntry"][];
            title: string;
        };
        /** OperationParameters */
        OperationParameters: {
            operation: string;
            parameters: components["schemas"]["Parameter"][];
            path: string;
            slug: string;
            title: string;
        };
        /** OperationsOut */
        OperationsOut: {
            data: components["schemas"]["OperationGroup"][];
        };
        /** Org */
        Org: {
            created_ms: number;
            id: string;
            name: string;
        };
        /** Page */
        Page: {
            auth?: components["schemas"]["Auth"] | null;
            /** @default [] */
            base_urls?: string[];
            breadcrumb: components["schemas"]["Link"][];
            /** @default application/json */
            content_type?: string;
            /** @default  */
            description?: string;
            /** @default [] */
            files?: string[];
            /** @default [] */
            headings?: components["schemas"]["Heading"][];
            /** @enum {string} */
            kind: "endpoint" | "guide" | "reference";
            /** @enum {string} */
            lang: "zh" | "en";
            markdown: string;
            method?: string | null;
            model?: string | null;
            modified_ms: number;
            next?: components["schemas"]["Link"] | null;
            operation?: string | null;
            /** @default [] */
            others?: components["schemas"]["Link"][];
            /** @default [] */
            parameters?: components["schemas"]["Parameter"][];
            path?: string | null;
            previous?: components["schemas"]["Link"] | null;
            request_example?: string | null;
            /** @default [] */
            request_examples?: components["schemas"]["RequestExample"][];
            /** @default [] */
            responses?: components["schemas"]["Answer"][];
            sample_request?: components["schemas"]["SampleRequest"] | null;
            slug: string;
            /** @enum {null|string} */
            status?: "released" | "developing" | null;
            /** @default  */
            summary?: string;
            title: string;
            /** @default [] */
            ways?: components["schemas"]["Way"][];
        };
        /** Page[AuditEntry] */
        "Page_tokengate.accounts.audit.AuditEntry_": {
            data: components["schemas"]["AuditEntry"][];
            next: string | null;
        };
        /** Page[Invitation] */
        "Page_tokengate.accounts.orgs.Invitation_": {
            data: components["schemas"]["Invitation"][];
            next: string | null;
        };
        /** Page[Member] */
        "Page_tokengate.accounts.orgs.Member_": {
            data: components["schemas"]["Member"][];
            next: string | null;
        };
        /** Page[Org] */
        "Page_tokengate.accounts.orgs.Org_": {
            data: components["schemas"]["Org"][];
            next: string | null;
        };
        /** Page[Project] */
        "Page_tokengate.accounts.orgs.Project_": {
            data: components["schemas"]["Project"][];
            next: string | null;
        };
        /** Page[AdminToken] */
        "Page_tokengate.accounts.platform.AdminToken_": {
            data: components["schemas"]["AdminToken"][];
            next: string | null;
        };
        /** Page[User] */
        "Page_tokengate.accounts.users.User_": {
            data: components["schemas"]["User"][];
            next: string | null;
        };
        /** Page[AppView] */
        "Page_tokengate.web.console_api.apps.AppView_": {
            data: components["schemas"]["AppView"][];
            next: string | null;
        };
        /** Page[BatchView] */
        "Page_tokengate.web.console_api.codes.BatchView_": {
            data: components["schemas"]["BatchView"][];
            next: string | null;
        };
        /** Page[CodeView] */
        "Page_tokengate.web.console_api.codes.CodeView_": {
            data: components["schemas"]["CodeView"][];
            next: string | null;
        };
        /** Page[JobView] */
        "Page_tokengate.web.console_api.jobs.JobView_": {
            data: components["schemas"]["JobView"][];
            next: string | null;
        };
        /** Page[KeyOut] */
        "Page_tokengate.web.console_api.keys.KeyOut_": {
            data: components["schemas"]["KeyOut"][];
            next: string | null;
        };
        /** Page[UpstreamView] */
        "Page_tokengate.web.console_api.upstreams.UpstreamView_": {
            data: components["schemas"]["UpstreamView"][];
            next: string | null;
        };
        /** Page[EntryView] */
        "Page_tokengate.web.console_api.wallets.EntryView_": {
            data: components["schemas"]["EntryView"][];
            next: string | null;
        };
        /** Page[FoundWalletView] */
        "Page_tokengate.web.console_api.wallets.FoundWalletView_": {
            data: components["schemas"]["FoundWalletView"][];
            next: string | null;
        };
        /** Page[HoldView] */
        "Page_tokengate.web.console_api.wallets.HoldView_": {
            data: components["schemas"]["HoldView"][];
            next: string | null;
        };
        /** Page[WalletView] */
        "Page_tokengate.web.console_api.wallets.WalletView_": {
            data: components["schemas"]["WalletView"][];
            next: string | null;
        };
        /** Parameter */
        Parameter: {
            /** @default [] */
            children?: components["schemas"]["Parameter"][];
            default: string;
            enum: string[];
            /** @enum {string} */
            in: "header" | "path" | "query" | "body" | "reply";
            meaning: string;
            name: string;
            range: string;
            required: boolean;
            type: string;
        };
        /** ParametersOut */
        ParametersOut: {
            data: components["schemas"]["OperationParameters"][];
        };
        /** PasswordChange */
        PasswordChange: {
            /** @default  */
            current?: string;
            password: string;
        };
        /** Piece */
        Piece: {
            /** @default false */
            hit?: boolean;
            text: string;
        };
        /** PortalSettings */
        PortalSettings: {
            contact: string;
            portal_public: boolean;
            /** @enum {string} */
            sign_up: "open" | "invitation" | "closed";
            site_name: string;
        };
        /** PriceSettings */
        PriceSettings: {
            /** @description a decimal number in quotes, such as "0.0025" */
            audio_in?: string | null;
            /** @description a decimal number in quotes, such as "0.0025" */
            audio_out?: string | null;
            /** @description a decimal number in quotes, such as "0.0025" */
            batch?: string | null;
            /** @description a decimal number in quotes, such as "0.0025" */
            cache_read?: string | null;
            /** @description a decimal number in quotes, such as "0.0025" */
            cache_write_1h?: string | null;
            /** @description a decimal number in quotes, such as "0.0025" */
            cache_write_5m?: string | null;
            /** @description a decimal number in quotes, such as "0.0025" */
            character?: string | null;
            /**
             * @default cny
             * @enum {string}
             */
            currency?: "cny" | "usd";
            /** @description a decimal number in quotes, such as "0.0025" */
            image?: string | null;
            /** @description a decimal number in quotes, such as "0.0025" */
            image_in?: string | null;
            /** @description a decimal number in quotes, such as "0.0025" */
            image_out?: string | null;
            /** @description a decimal number in quotes, such as "0.0025" */
            input?: string | null;
            /** @description a decimal number in quotes, such as "0.0025" */
            output?: string | null;
            /**
             * @default ktok
             * @enum {string}
             */
            per?: "ktok" | "mtok";
            /** @description a decimal number in quotes, such as "0.0025" */
            reasoning?: string | null;
            /** @description a decimal number in quotes, such as "0.0025" */
            request?: string | null;
            /** @description a decimal number in quotes, such as "0.0025" */
            search?: string | null;
            /** @description a decimal number in quotes, such as "0.0025" */
            second?: string | null;
            /** @description a decimal number in quotes, such as "0.0025" */
            video_in?: string | null;
            when?: {
                [key: string]: string | number | boolean;
            }[];
        };
        /** PricesOut */
        PricesOut: {
            data: components["schemas"]["ModelSummary"][];
            next: string | null;
            total: number;
        };
        /** PriceTier */
        PriceTier: {
            rates: components["schemas"]["Rate"][];
            when: {
                [key: string]: string | number | boolean;
            };
        };
        /** PriceVersion */
        PriceVersion: {
            effective_ms: number;
            price: components["schemas"]["ModelPrice"];
        };
        /** Project */
        Project: {
            created_ms: number;
            id: string;
            name: string;
            /** @default true */
            stores_responses?: boolean;
        };
        /** ProjectChange */
        ProjectChange: {
            name?: string | null;
            stores_responses?: boolean | null;
        };
        /** Provider */
        Provider: {
            name: string;
            title: string;
        };
        /** Rate */
        Rate: {
            fallback?: string | null;
            per_ktok_yuan?: string | null;
            per_mtok_yuan?: string | null;
            per_piece_yuan?: string | null;
            title: string;
            word: string;
        };
        /** RedeemedView */
        RedeemedView: {
            amount_yuan: string;
            entry_id: string;
            wallet: components["schemas"]["WalletView"];
        };
        /** RequestExample */
        RequestExample: {
            body: string;
            /** @default application/json */
            content_type?: string;
            title: string;
        };
        /** RoleChange */
        RoleChange: {
            /** @enum {string} */
            role: "owner" | "admin" | "developer" | "billing" | "viewer";
        };
        /** SampleRequest */
        SampleRequest: {
            body: string | null;
            headers: {
                [key: string]: string;
            };
            method: string;
            path: string;
        };
        /** SessionKeyForm */
        SessionKeyForm: {
            /** @description An amount in yuan, as a decimal string. */
            cap_yuan?: string | null;
            project_id?: string | null;
            wallet_id?: string | null;
        };
        /** SessionKeyOut */
        SessionKeyOut: {
            cap_yuan: string;
            expires_ms: number;
            id: string;
            secret: string;
            wallet_id: string;
        };
        /** SessionOut */
        SessionOut: {
            base_url: string;
            contact: string;
            csrf_token: string;
            oidc: components["schemas"]["Provider"][];
            portal_public: boolean;
            /** @enum {string} */
            sign_up: "open" | "invitation" | "closed";
            site_name: string;
            user: components["schemas"]["Me"] | null;
        };
        /** SettingsChange */
        SettingsChange: {
            contact?: string | null;
            portal_public?: boolean | null;
            sign_up?: ("open" | "invitation" | "closed") | null;
            site_name?: string | null;
        };
        /** SignIn */
        SignIn: {
            email: string;
            password: string;
        };
        /** SignUpForm */
        SignUpForm: {
            email: string;
            /** @default  */
            invitation?: string;
            name: string;
            /** @default  */
            org_name?: string;
            password: string;
        };
        /**
         * State
         * @description Where a breaker stands.
         * @enum {string}
         */
        State: "closed" | "open" | "half-open" | "disabled";
        /** StatusEntry */
        StatusEntry: {
            code: string | null;
            depth: number;
            example: {
                [key: string]: {
                    [key: string]: string | null;
                };
            };
            meaning: string;
            name: string;
            remedy: string;
            status: number;
            title: string;
            type: string;
        };
        /** StatusesOut */
        StatusesOut: {
            data: components["schemas"]["StatusEntry"][];
        };
        /** Tested */
        Tested: {
            answer: string;
            delivered: boolean;
        };
        /** Title */
        Title: {
            /** @default  */
            en?: string;
            /** @default  */
            zh?: string;
        };
        /** TokenForm */
        TokenForm: {
            /** @description Milliseconds since the epoch, UTC. */
            expires_ms?: number | null;
            name: string;
        };
        /** TopUp */
        TopUp: {
            amount_yuan: string;
            /** @default  */
            note?: string;
        };
        /** TreeOut */
        TreeOut: {
            data: components["schemas"]["Node"][];
            help: components["schemas"]["Link"][];
            reference: components["schemas"]["Link"][];
        };
        /** TypedCode */
        TypedCode: {
            code: string;
        };
        /** UpstreamView */
        UpstreamView: {
            address: string;
            /** @enum {null|string} */
            engine: "missing" | "loading" | "ready" | "failed" | null;
            in_flight: number;
            models: components["schemas"]["OfferedModel"][];
            name: string;
            provider: string;
        };
        /** UsageReport */
        UsageReport: {
            data: components["schemas"]["UsageRow"][];
            from_day: number;
            parts: components["schemas"]["DayPart"][];
            to_day: number;
            total: components["schemas"]["UsageRow"];
        };
        /** UsageRow */
        UsageRow: {
            cached_tokens: number;
            calls: number;
            cost_yuan: string;
            errors: number;
            input_tokens: number;
            name: string;
            output_tokens: number;
        };
        /** User */
        User: {
            created_ms: number;
            disabled_ms: number | null;
            email: string;
            has_password: boolean;
            id: string;
            last_sign_in_ms: number | null;
            name: string;
            operator: boolean;
        };
        /** UserChange */
        UserChange: {
            disabled?: boolean;
            operator?: boolean;
        };
        /** WalletView */
        WalletView: {
            available_yuan: string;
            balance_yuan: string;
            created_ms: number;
            held_yuan: string;
            id: string;
            name: string;
            org_id: string;
        };
        /** Way */
        Way: {
            format: string;
            guide: string | null;
            operation: string;
            slug: string;
            title: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    ConsoleApiAdminAppsListApps: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.web.console_api.apps.AppView_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminAppsCreateApp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewApp"];
            };
        };
        responses: {
            /** @description Document created, URL follows */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AppView"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminAppsNameShowApp: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AppView"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminAppsNameChangeApp: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AppForm"];
            };
        };
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AppView"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminAppsNameDeleteApp: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, nothing follows */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminAppsNameSwitchApp: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AppSwitch"];
            };
        };
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AppView"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminAuditOfPlatform: {
        parameters: {
            query?: {
                /** @description A part of the name. */
                action?: string;
                /** @description The `next` of the page before. */
                after?: string;
                /** @description How many at most. */
                limit?: number;
                /** @description A part of the name. */
                target?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.accounts.audit.AuditEntry_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminCodeBatchesListBatches: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: string;
                /** @description How many at most. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.web.console_api.codes.BatchView_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminCodeBatchesMakeBatch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BatchForm"];
            };
        };
        responses: {
            /** @description Document created, URL follows */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeBatchView"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminCodeBatchesCsvMakeBatchCsv: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BatchForm"];
            };
        };
        responses: {
            /** @description Document created, URL follows */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminCodeBatchesIdShowBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchView"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminCodeBatchesIdCodesListCodes: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: number;
                /** @description How many at most. */
                limit?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.web.console_api.codes.CodeView_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminCodeBatchesIdRevokeRevokeBatch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchView"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminSettingsShowSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortalSettings"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminSettingsChangeSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SettingsChange"];
            };
        };
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortalSettings"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminTokensListTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.accounts.platform.AdminToken_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminTokensCreateToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenForm"];
            };
        };
        responses: {
            /** @description Document created, URL follows */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewAdminToken"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminTokensTokenIdRevokeToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, nothing follows */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminUpstreamsListUpstreams: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.web.console_api.upstreams.UpstreamView_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminUsersListUsers: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: string;
                /** @description How many at most. */
                limit?: number;
                /** @description A part of the name. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.accounts.users.User_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminUsersUserIdChangeUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserChange"];
            };
        };
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminWalletsFindWallets: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: string;
                /** @description How many at most. */
                limit?: number;
                /** @description A part of the name. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.web.console_api.wallets.FoundWalletView_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiAdminWalletsIdTopUpTopUp: {
        parameters: {
            query?: never;
            header?: {
                /** @description A retry with the same key pays no second time. */
                "Idempotency-Key"?: string | null;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TopUp"];
            };
        };
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WalletView"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiInvitationsTokenShow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invited"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiInvitationsTokenAcceptAccept: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOidcProviderCallbackCallback: {
        parameters: {
            query?: {
                code?: string;
                error?: string;
                iss?: string;
                state?: string;
            };
            header?: never;
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Object moved temporarily -- see URI list */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOidcProviderStartStart: {
        parameters: {
            query?: {
                next?: string;
            };
            header?: never;
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Object moved temporarily -- see URI list */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsListOrgs: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: string;
                /** @description How many at most. */
                limit?: number;
                /** @description A part of the name. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.accounts.orgs.Org_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsCreateOrg: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Named"];
            };
        };
        responses: {
            /** @description Document created, URL follows */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Org"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdShow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Org"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdRename: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Named"];
            };
        };
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Org"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdAuditOfOrg: {
        parameters: {
            query?: {
                /** @description A part of the name. */
                action?: string;
                /** @description The `next` of the page before. */
                after?: string;
                /** @description How many at most. */
                limit?: number;
                /** @description A part of the name. */
                target?: string;
            };
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.accounts.audit.AuditEntry_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdCallsListCalls: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: string;
                /** @description The earliest start. */
                from_ms?: number | null;
                /** @description Only calls with this one. */
                key_id?: string | null;
                /** @description How many at most. */
                limit?: number;
                /** @description Only calls with this one. */
                model?: string | null;
                /** @description Only calls with this one. */
                outcome?: string | null;
                /** @description Only calls with this one. */
                project_id?: string | null;
                /** @description How a request id, ours or the caller's own, begins. */
                q?: string | null;
                /** @description A minus sign puts the latest, dearest or slowest first. */
                sort?: "-started" | "started" | "-cost" | "cost" | "-latency" | "latency";
                /** @description Only calls with this HTTP status. */
                status?: number | null;
                /** @description The first start that is too late. */
                to_ms?: number | null;
            };
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CallsPage"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdCallsCsvDownloadCalls: {
        parameters: {
            query?: {
                /** @description The earliest start. */
                from_ms?: number | null;
                /** @description Only calls with this one. */
                key_id?: string | null;
                /** @description Only calls with this one. */
                model?: string | null;
                /** @description Only calls with this one. */
                outcome?: string | null;
                /** @description Only calls with this one. */
                project_id?: string | null;
                /** @description How a request id, ours or the caller's own, begins. */
                q?: string | null;
                /** @description Only calls with this HTTP status. */
                status?: number | null;
                /** @description The first start that is too late. */
                to_ms?: number | null;
            };
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Stream Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": unknown;
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdCallsShowCall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CallDetail"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdInvitationsListInvitations: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.accounts.orgs.Invitation_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdInvitationsInvite: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Invite"];
            };
        };
        responses: {
            /** @description Document created, URL follows */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdInvitationsInvitationIdWithdraw: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                invitation_id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, nothing follows */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdJobsListJobs: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: string;
                /** @description A part of the name. */
                kind?: string;
                /** @description How many at most. */
                limit?: number;
                /** @description Only this state. */
                state?: string;
            };
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.web.console_api.jobs.JobView_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdJobsJobIdCancelCancelJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdKeysListKeys: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: string;
                kind?: "api" | "session" | null;
                /** @description How many at most. */
                limit?: number;
                project_id?: string;
                /** @description A part of the name. */
                q?: string;
            };
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.web.console_api.keys.KeyOut_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdKeysCreateKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KeyForm"];
            };
        };
        responses: {
            /** @description Document created, URL follows */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdKeysKeyIdShowKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key_id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdKeysKeyIdChangeKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key_id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KeyPatch"];
            };
        };
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdKeysKeyIdDisableDisableKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key_id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdKeysKeyIdEnableEnableKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key_id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdKeysKeyIdRotateRotateKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key_id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdMembersListMembers: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.accounts.orgs.Member_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdMembersUserIdShowMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org_id: string;
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdMembersUserIdRemoveMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org_id: string;
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, nothing follows */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdMembersUserIdChangeRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org_id: string;
                user_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RoleChange"];
            };
        };
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdProjectsListProjects: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: string;
                /** @description How many at most. */
                limit?: number;
            };
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.accounts.orgs.Project_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdProjectsCreateProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Named"];
            };
        };
        responses: {
            /** @description Document created, URL follows */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdProjectsProjectIdChangeProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org_id: string;
                project_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProjectChange"];
            };
        };
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdSessionKeyCreateSessionKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionKeyForm"];
            };
        };
        responses: {
            /** @description Document created, URL follows */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionKeyOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdUsageReport: {
        parameters: {
            query?: {
                /** @description What to sum by. */
                by?: "day" | "model" | "key";
                /** @description A day (UTC) such as 20261121. */
                from_day?: number | null;
                /** @description Only calls with this one. */
                key_id?: string | null;
                /** @description Only calls with this one. */
                model?: string | null;
                /** @description Only calls with this one. */
                project_id?: string | null;
                /** @description What every day is split by; only with `by=day`. */
                split?: "model" | "key" | null;
                /** @description A day (UTC) such as 20261121. */
                to_day?: number | null;
            };
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsageReport"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdWalletsListWallets: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: string;
                /** @description How many at most. */
                limit?: number;
            };
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.web.console_api.wallets.WalletView_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdWalletsOpenWallet: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                org_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Named"];
            };
        };
        responses: {
            /** @description Document created, URL follows */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WalletView"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdWalletsShowWallet: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WalletView"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdWalletsAlertShowAlert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertView"] | null;
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdWalletsAlertSetAlert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AlertForm"];
            };
        };
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertSet"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdWalletsAlertRemoveAlert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, nothing follows */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdWalletsAlertTestTestAlert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tested"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdWalletsHoldsListHolds: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.web.console_api.wallets.HoldView_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdWalletsJournalListJournal: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: string;
                /** @description The earliest time. */
                from_ms?: number | null;
                /** @description Only entries of these kinds. */
                kind?: ("top_up" | "redeem" | "settle" | "overrun" | "correct")[] | null;
                /** @description How many at most. */
                limit?: number;
                /** @description The first time that is too late. */
                to_ms?: number | null;
            };
            header?: never;
            path: {
                id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_tokengate.web.console_api.wallets.EntryView_"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdWalletsJournalCsvDownloadJournal: {
        parameters: {
            query?: {
                /** @description The earliest time. */
                from_ms?: number | null;
                /** @description Only entries of these kinds. */
                kind?: ("top_up" | "redeem" | "settle" | "overrun" | "correct")[] | null;
                /** @description The first time that is too late. */
                to_ms?: number | null;
            };
            header?: never;
            path: {
                id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Stream Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": unknown;
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiOrgsOrgIdWalletsRedeemRedeem: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                org_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TypedCode"];
            };
        };
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RedeemedView"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiPasswordChangePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description Request fulfilled, nothing follows */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiPortalHomeHome: {
        parameters: {
            query?: {
                /** @description Language of titles and texts. */
                lang?: "zh" | "en";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HomeOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiPortalModelsListModels: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: string;
                /** @description One or several; any of them fits. */
                capability?: string[] | null;
                /** @description One or several; any of them fits. */
                kind?: string[] | null;
                /** @description Language of titles and texts. */
                lang?: "zh" | "en";
                /** @description How many at most. */
                limit?: number;
                /** @description Words to look for. */
                q?: string;
                /** @description One or several; any of them fits. */
                region?: string[] | null;
                /** @description One or several; any of them fits. */
                series?: string[] | null;
                /** @description A column; with - before it, descending. */
                sort?: string;
                /** @description One or several; any of them fits. */
                status?: string[] | null;
                /** @description One or several; any of them fits. */
                vendor?: string[] | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelsOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiPortalModelsIdModel: {
        parameters: {
            query?: {
                /** @description Language of titles and texts. */
                lang?: "zh" | "en";
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiPortalOperationsOperations: {
        parameters: {
            query?: {
                /** @description Language of titles and texts. */
                lang?: "zh" | "en";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationsOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiPortalPagesSlugPage: {
        parameters: {
            query?: {
                /** @description Language of titles and texts. */
                lang?: "zh" | "en";
            };
            header?: never;
            path: {
                slug: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiPortalParametersChecked: {
        parameters: {
            query?: {
                /** @description Language of titles and texts. */
                lang?: "zh" | "en";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ParametersOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiPortalPricesPrices: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                after?: string;
                /** @description Language of titles and texts. */
                lang?: "zh" | "en";
                /** @description How many at most. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PricesOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiPortalSearchSearch: {
        parameters: {
            query?: {
                /** @description Language of titles and texts. */
                lang?: "zh" | "en";
                /** @description How many at most. */
                limit?: number;
                /** @description Words to look for. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FoundOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiPortalStatusCodesStatusCodes: {
        parameters: {
            query?: {
                /** @description Language of titles and texts. */
                lang?: "zh" | "en";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatusesOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiPortalTreeTree: {
        parameters: {
            query?: {
                /** @description Language of titles and texts. */
                lang?: "zh" | "en";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TreeOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiSessionShow: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiSessionSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignIn"];
            };
        };
        responses: {
            /** @description Request fulfilled, document follows */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiSessionSignOut: {
        parameters: {
            query?: {
                everywhere?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Request fulfilled, nothing follows */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ConsoleApiSignUpSignUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignUpForm"];
            };
        };
        responses: {
            /** @description Document created, URL follows */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionOut"];
                };
            };
            /** @description The request was refused; `code` says why. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
}
