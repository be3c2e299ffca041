package source

import (
	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

func takeOrganizations(rows pgx.Rows, err error, n int) ([]migration.Organization, error) {
	all := make([]migration.Organization, 0, n)
	err = eachRow(rows, err, func(r *row) {
		all = append(all, migration.Organization{
			ID:        r.id("organizations"),
			Name:      r.text(),
			Details:   r.text(),
			Notes:     r.text(),
			Tags:      r.tags(),
			CreatedAt: r.time(),
			UpdatedAt: r.time(),
			Fields:    r.json(),
		})
	})
	return all, err
}

func takeUsers(rows pgx.Rows, err error, n int) ([]migration.User, error) {
	all := make([]migration.User, 0, n)
	err = eachRow(rows, err, func(r *row) {
		all = append(all, migration.User{
			ID:             r.id("users"),
			OrganizationID: r.text(),
			Name:           r.text(),
			Email:          r.text(),
			Phone:          r.text(),
			Role:           r.text(),
			TimeZone:       r.text(),
			Locale:         r.text(),
			Tags:           r.tags(),
			CreatedAt:      r.time(),
			UpdatedAt:      r.time(),
			Organizations:  r.tags(),
			Emails:         r.tags(),
			Phones:         r.tags(),
			Fields:         r.json(),
			Suspended:      r.bool(),
		})
	})
	return all, err
}
